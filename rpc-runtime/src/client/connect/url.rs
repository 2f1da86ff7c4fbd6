//! From a URL to a connection whose upgrade is over.

use std::{io, time::Duration};

use http::{HeaderMap, HeaderValue, Response, Uri, header};
use rpc_protocol::{RESUME_SUBPROTOCOL, SUBPROTOCOL};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Error as WsError, client::IntoClientRequest, handshake::client::Request},
};

#[cfg(feature = "tls")]
use super::tls::{Tls, TlsOptions};
use super::{Dial, Dialling, Established, Reached, established, gate::HeaderGate};
use crate::client::error::{Refused, RefusedKind};

/// Where a URL leads, checked.
pub(in crate::client) struct Target {
    url: String,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    request: Request,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

/// What one handshake says beside the URL and the program's headers.
struct Handshake {
    authorization: Option<HeaderValue>,
    /// The client comes back to its session.
    comes_back: bool,
}

impl Target {
    /// # Errors
    ///
    /// When the URL is none, or asks for what this client does not do.
    pub(in crate::client) fn new(
        url: &str,
        headers: &HeaderMap,
        #[cfg(feature = "tls")] tls: &TlsOptions,
    ) -> Result<Self, Refused> {
        let bad = |text: &str| Refused::new(RefusedKind::BadUrl, url, text);
        let uri: Uri = url.parse().map_err(|error| bad(&format!("not a URL: {error}")))?;
        let host = uri
            .host()
            .map(|host| host.trim_start_matches('[').trim_end_matches(']').to_owned())
            .ok_or_else(|| bad(EXPECTED))?;
        let secure = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") if cfg!(feature = "tls") => true,
            Some("wss") => return Err(bad("wss:// needs the feature `tls` of rpc-runtime")),
            _ => return Err(bad(EXPECTED)),
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let mut request = uri
            .into_client_request()
            .map_err(|error| Refused::because(RefusedKind::BadUrl, url, error.to_string(), error))?;
        request
            .headers_mut()
            .extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        request.headers_mut().insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        Ok(Self {
            url: url.to_owned(),
            #[cfg(feature = "tls")]
            tls: secure.then(|| Tls::new(&host, tls, url)).transpose()?,
            host,
            port,
            request,
        })
    }

    async fn connect(&self, handshake: Handshake) -> Result<Established, Refused> {
        let unreachable = |error: io::Error| {
            let text = error.to_string();
            Refused::because(RefusedKind::Unreachable, &self.url, text, error)
        };
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let stream = tls.handshake(stream, &self.url).await?;
            return self.upgrade(stream, handshake).await;
        }
        self.upgrade(stream, handshake).await
    }

    async fn upgrade<S>(&self, stream: S, handshake: Handshake) -> Result<Established, Refused>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut gate = HeaderGate::new(stream);
        let upgraded = client_async(self.request(handshake), &mut gate).await.map(drop);
        match upgraded {
            Ok(()) => Ok(established(gate.stream, gate.behind)),
            Err(WsError::Http(response)) => {
                let said = gate.text_behind(response.headers()).await;
                Err(self.refused_by_http(&response, said))
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// A request with a key of its own.
    fn request(&self, handshake: Handshake) -> Request {
        let mut request = self.request.clone();
        if let Some(authorization) = handshake.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization);
        }
        if handshake.comes_back
            && let Ok(both) = HeaderValue::try_from(format!("{SUBPROTOCOL}, {RESUME_SUBPROTOCOL}"))
        {
            request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, both);
        }
        let key = tokio_tungstenite::tungstenite::handshake::client::generate_key();
        if let Ok(key) = HeaderValue::from_str(&key) {
            request.headers_mut().insert(header::SEC_WEBSOCKET_KEY, key);
        }
        request
    }

    fn refused_by_http<T>(&self, response: &Response<T>, said: Option<String>) -> Refused {
        let seconds = response.headers().get(header::RETRY_AFTER);
        let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let retry_after = seconds.map(Duration::from_secs);
        let (status, expired) = (response.status(), says_expired(response));
        Refused::http(&self.url, status, said, retry_after, expired)
    }

    #[cfg(feature = "tls")]
    fn refused_by_tls(&self, error: io::Error) -> Result<Refused, io::Error> {
        match &self.tls {
            Some(tls) => tls.refused_behind(error, &self.url),
            None => Err(error),
        }
    }

    fn refused(&self, error: WsError) -> Refused {
        match error {
            WsError::Io(error) => {
                #[cfg(feature = "tls")]
                let error = match self.refused_by_tls(error) {
                    Ok(refused) => return refused,
                    Err(error) => error,
                };
                let text = error.to_string();
                Refused::because(RefusedKind::Unreachable, &self.url, text, error)
            }
            error => {
                let text = format!("no WebSocket server of this protocol: {error}");
                Refused::because(RefusedKind::NotThisProtocol, &self.url, text, error)
            }
        }
    }
}

/// Whether a refusal says what 4401 says to those who do not see it, in the words of RFC 6750, section 3.
fn says_expired<T>(response: &Response<T>) -> bool {
    let challenges = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
    challenges
        .filter_map(|challenge| challenge.to_str().ok())
        .any(|challenge| challenge.contains("error_description=\"expired\""))
}

const EXPECTED: &str = "a URL as in ws://127.0.0.1:3000/rpc is expected";

impl Dial for Target {
    fn dial(&self, authorization: Option<HeaderValue>, comes_back: bool) -> Dialling<'_> {
        let handshake = Handshake {
            authorization,
            comes_back,
        };
        Box::pin(async move {
            Ok(Reached {
                established: self.connect(handshake).await?,
                is_told: comes_back,
            })
        })
    }

    fn has_headers(&self) -> bool {
        true
    }

    fn url(&self) -> &str {
        &self.url
    }
}
