//! Proxies whose word on a client's address is taken.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use super::forwarded;
use crate::router::StartError;

/// The networks of the proxies that are trusted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Networks such as `10.0.0.0/8`, and single addresses.
    pub(crate) fn parse(networks: &[String]) -> Result<Self, StartError> {
        let parsed = networks.iter().map(|network| {
            let network = network.trim();
            let single = || network.parse::<IpAddr>().map(IpNet::from);
            network
                .parse()
                .or_else(|_| single())
                .map_err(|_| StartError::TrustedProxy {
                    network: network.to_owned(),
                })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address is a trusted proxy's.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address, where a trusted proxy tells one; `None` where it is the peer's own.
    ///
    /// Each proxy adds the address that it was connected from behind what it was given: so the last one in the list that
    /// is no proxy's is the client's, and what stands before that may be invented. With only proxies in the list, the first
    /// of them is where the request began.
    ///
    /// A proxy that writes one of the two headers may hand on the other as the client invented it. Where both are there
    /// and do not say the same, neither is believed.
    pub(crate) fn client_of(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.contains(peer) {
            return None;
        }
        let is_proxy = |address| self.contains(address);
        match (
            forwarded::last(forwarded::x_forwarded_for(headers), is_proxy),
            forwarded::last(forwarded::forwarded(headers), is_proxy),
        ) {
            (Some(one), Some(other)) => one.ok().filter(|one| other == Ok(*one)),
            (Some(told), None) | (None, Some(told)) => told.ok(),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> Option<String> {
        let proxies = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"].map(str::to_owned);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let proxies = Proxies::parse(&proxies).unwrap();
        let client = proxies.client_of(peer.parse().unwrap(), &map);
        client.map(|client| client.to_string())
    }

    fn told(value: &str) -> Option<String> {
        client("10.0.0.1", &[("x-forwarded-for", value)])
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_clients() {
        assert_eq!(told("198.51.100.7").as_deref(), Some("198.51.100.7"));
        assert_eq!(
            told("6.6.6.6, 198.51.100.7, 10.1.2.3").as_deref(),
            Some("198.51.100.7")
        );
        assert_eq!(told("10.0.0.9, 10.0.0.8").as_deref(), Some("10.0.0.9"));
        let several = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "198.51.100.7"),
        ];
        assert_eq!(client("192.0.2.1", &several).as_deref(), Some("198.51.100.7"));
        assert_eq!(client("2001:db8::1", &several).as_deref(), Some("198.51.100.7"));
        assert_eq!(
            client("::ffff:10.0.0.1", &several).as_deref(),
            Some("198.51.100.7")
        );
        let forwarded = [("forwarded", "for=6.6.6.6, for=\"[2001:4::1]:47\";proto=http")];
        assert_eq!(client("10.0.0.1", &forwarded).as_deref(), Some("2001:4::1"));
    }

    #[test]
    fn nobody_else_is_believed() {
        for peer in ["192.0.2.2", "127.0.0.1", "::1", "11.0.0.1"] {
            assert_eq!(
                client(peer, &[("x-forwarded-for", "198.51.100.7")]),
                None,
                "{peer}"
            );
            assert_eq!(client(peer, &[("forwarded", "for=198.51.100.7")]), None, "{peer}");
        }
    }

    #[test]
    fn without_a_word_or_with_one_that_cannot_be_read_it_is_the_peer() {
        assert_eq!(client("10.0.0.1", &[]), None);
        for malformed in ["", "unknown", "1.2.3", "198.51.100.7,", "198.51.100.7, nonsense"] {
            assert_eq!(told(malformed), None, "{malformed:?}");
        }
        // What stands before the client's is not even looked at.
        assert_eq!(told("nonsense, 198.51.100.7").as_deref(), Some("198.51.100.7"));
    }

    #[test]
    fn headers_that_contradict_each_other_are_not_believed() {
        let x = ("x-forwarded-for", "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[x, ("forwarded", "for=6.6.6.6")]), None);
        assert_eq!(client("10.0.0.1", &[x, ("forwarded", "nonsense")]), None);
        assert_eq!(
            client("10.0.0.1", &[x, ("forwarded", "for=198.51.100.7")]).as_deref(),
            Some("198.51.100.7")
        );
    }

    #[test]
    fn what_is_no_network_is_told_by_its_text() {
        for bad in ["10.0.0.0/33", "proxy.example", "", "10.0.0.1:80"] {
            let error = Proxies::parse(&[bad.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(&format!("`{bad}`")), "{error}");
        }
    }
}
