//! Which addresses may be reached: a picture's URL comes from a seller, and must not lead into the own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// IPv4 that is not the public internet, by IANA's registry of special-purpose addresses.
const INNER_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared by a provider's customers
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // the host of a machine at Azure
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, and the clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, and broadcast
];
/// All that is assigned to the public internet. Outside of it are ::, ::1, discard, NAT64, unique local, link-local and multicast.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// What of it is not public.
const INNER_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarking, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// It is an address of the public internet.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !INNER_V4.iter().any(|&net| holds_v4(net, ip)),
        IpAddr::V6(ip) => match carried(ip) {
            Some(ip) => is_public(IpAddr::V4(ip)),
            None => holds_v6(GLOBAL_V6, ip) && !INNER_V6.iter().any(|&net| holds_v6(net, ip)),
        },
    }
}

/// The IPv4 address that a packet to an IPv6 address ends at: mapped, compatible (`::` and `::1` among them), NAT64, 6to4.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

fn holds_v4((net, prefix): (Ipv4Addr, u32), ip: Ipv4Addr) -> bool {
    (u32::from(net) ^ u32::from(ip)).leading_zeros() >= prefix
}

fn holds_v6((net, prefix): (Ipv6Addr, u32), ip: Ipv6Addr) -> bool {
    (u128::from(net) ^ u128::from(ip)).leading_zeros() >= prefix
}

/// A net, like 10.1.0.0/16 or 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Net {
    address: IpAddr,
    prefix: u32,
}

impl Net {
    pub(super) fn holds(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => holds_v4((net, self.prefix), ip),
            (IpAddr::V6(net), IpAddr::V6(ip)) => holds_v6((net, self.prefix), ip),
            _ => false,
        }
    }
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| format!("{text:?} is not a net like 10.1.0.0/16"))?;
        if address.to_canonical() != address {
            return Err(format!("{text:?} is IPv4: write it as {}", address.to_canonical()));
        }
        let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
        let parsed = prefix.map_or(Some(bits), |prefix| prefix.parse().ok().filter(|&prefix| prefix <= bits));
        let prefix = parsed.ok_or_else(|| format!("{text:?}: what follows the / is not a number from 0 to {bits}"))?;
        let zeros = match address {
            IpAddr::V4(ip) => u32::from(ip).trailing_zeros(),
            IpAddr::V6(ip) => u128::from(ip).trailing_zeros(),
        };
        match zeros + prefix < bits {
            true => Err(format!("{text:?} has bits behind the first {prefix}: write the first address of the net")),
            false => Ok(Self { address, prefix }),
        }
    }
}

/// The public addresses, and the nets that are permitted besides.
#[derive(Debug)]
pub(super) struct Addresses(Vec<Net>);

impl Addresses {
    pub(super) fn new(allow: Vec<Net>) -> Self {
        Self(allow)
    }

    pub(super) fn permit(&self, ip: IpAddr) -> bool {
        is_public(ip) || self.0.iter().any(|net| net.holds(ip.to_canonical()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|_| panic!("{text} is an address"))
    }

    #[test]
    fn inner_addresses_are_refused() {
        let inner = [
            "0.0.0.0 0.1.2.3 10.0.0.0 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254",
            "172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.9 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255",
            "198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255",
            ":: ::1 ::2 fc00::1 fd00:ec2::254 fdff::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 2001:db8::1 3fff::1 3fff:fff::1",
            "100::1 100:0:0:1::1 5f00::1 4000::1 e000::1 2001::1 2001:0:4136:e378::1 2001:2::1 2001:10::1 2001:20::1",
            "64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::169.254.169.254 64:ff9b:1::1 64:ff9b:1::8.8.8.8 64:ff9b:0:0:1::8.8.8.8",
            "2002:7f00:1::1 2002:a9fe:a9fe:: 2002:c0a8:101::1",
            "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::127.0.0.1 ::10.0.0.1 ::ffff:0:8.8.8.8",
        ];
        for text in inner.iter().flat_map(|line| line.split(' ')) {
            assert!(!is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_not() {
        let public = [
            "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255 169.255.0.0",
            "172.15.255.255 172.32.0.0 192.0.1.1 192.0.3.1 192.88.98.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0",
            "198.51.101.1 203.0.112.1 203.0.114.1 223.255.255.255",
            "2001:200::1 2001:4860:4860::8888 2001:db7::1 2001:db9::1 2606:4700::1111 2a00:1450:4001::1 3ffe::1 3fff:1000::1",
            "::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1",
        ];
        for text in public.iter().flat_map(|line| line.split(' ')) {
            assert!(is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn nets_are_permitted_besides() {
        let table = [
            ("127.0.0.1/32", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "::1", false),
            ("127.0.0.1", "64:ff9b::127.0.0.1", false),
            ("10.1.0.0/16", "10.1.255.255", true),
            ("10.1.0.0/16", "10.2.0.0", false),
            ("0.0.0.0/0", "192.168.1.1", true),
            ("0.0.0.0/0", "::1", false),
            ("fd12:3456::/32", "fd12:3456:9::1", true),
            ("fd12:3456::/32", "fd12:3457::1", false),
            ("::/0", "::1", true),
            ("::/0", "127.0.0.1", false),
        ];
        for (net, address, permitted) in table {
            let addresses = Addresses::new(vec![net.parse().expect("a net")]);
            assert_eq!(addresses.permit(ip(address)), permitted, "{address} beside {net}");
            assert!(addresses.permit(ip("8.8.8.8")));
        }
    }

    #[test]
    fn what_is_no_net_says_why() {
        let table = [
            ("", "not a net"),
            ("localhost", "not a net"),
            ("10.1/16", "not a net"),
            ("010.1.0.0/16", "not a net"),
            ("10.1.0.0/33", "from 0 to 32"),
            ("10.1.0.0/", "from 0 to 32"),
            ("10.1.0.0/-1", "from 0 to 32"),
            ("fd00::/129", "from 0 to 128"),
            ("10.1.2.0/16", "first address"),
            ("fd00::1/64", "first address"),
            ("::ffff:10.0.0.0/104", "10.0.0.0"),
        ];
        for (text, part) in table {
            let said = text.parse::<Net>().expect_err(text);
            assert!(said.contains(part), "{text:?}: {said}");
        }
    }
}
