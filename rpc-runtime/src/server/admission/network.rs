//! Whom an address stands for.

use std::net::{IpAddr, Ipv6Addr};

/// Whom an address stands for: of IPv6 a network of 64 bits, which one host may have to itself.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network_of(address: &str) -> String {
        network(address.parse().unwrap()).to_string()
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_ipv4_is_itself_however_it_is_written() {
        assert_eq!(network_of("192.0.2.7"), "192.0.2.7");
        assert_eq!(network_of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_ne!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
    }
}
