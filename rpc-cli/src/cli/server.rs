//! What commands have in common: how the server is reached, and how is printed.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// How the server is reached, and how it is known what it serves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Where the server is
    #[arg(
        short,
        long,
        value_name = "URL",
        env = "RPC_SERVER",
        default_value = "ws://127.0.0.1:3000/rpc"
    )]
    pub(crate) server: String,
    /// Takes what is served from a file instead of asking the server
    #[arg(long, value_name = "FILE")]
    pub(crate) descriptor_set: Option<PathBuf>,
    /// Gives up what takes longer than this: 500ms, 5s, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Metadata of what is called, "key: value"; of a key that ends in -bin, the value is base64. May be given several times
    #[arg(short = 'H', long = "metadata", value_name = "KEY: VALUE")]
    pub(crate) metadata: Vec<String>,
    /// Shows this token to the server
    #[arg(long, value_name = "TOKEN", env = "RPC_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Trusts the certificates in this file (PEM or DER) and no others, for a wss:// URL
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Shows the certificate in this file (PEM) to the server of a wss:// URL that asks for one
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of --cert (PEM, without a password)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) cert_key: Option<PathBuf>,
    /// How long connecting may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub(crate) connect_timeout: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Prints JSON for programs: one value per line, without colours
    #[arg(long)]
    pub(crate) json: bool,
}

/// The longest time that is taken, with which clocks can still reckon.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A time such as `500ms`, `5s` or `2m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => {
            return Err(format!(
                "`{unit}` is no unit of time: write ms, s, m or h, as in 500ms"
            ));
        }
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "a time is a number with a unit, as in 500ms or 5s".to_owned())?;
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())?;
    match duration {
        Duration::ZERO => Err("no time at all is left for anything".to_owned()),
        duration if duration > LONGEST => Err("nothing takes longer than a year".to_owned()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units_and_nothing_else_is() {
        for (text, expected) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("3", 3_000),
        ] {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(expected), "{text}");
        }
        for text in ["", "s", "5d", "-1s", "0s", "1e99s", "8761h", "5 s", "NaNs"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
