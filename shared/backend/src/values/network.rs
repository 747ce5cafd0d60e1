//! Networks by their addresses: one, or all that begin alike.

use std::net::IpAddr;

/// The first address of a network as bits at the top of 128, and the length of its prefix; of one address all of them.
fn network(text: &str) -> Option<(bool, u128, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (is_v4, bits) = bits(address.parse().ok()?);
    let longest = if is_v4 { 32 } else { 128 };
    let length = length.unwrap_or(longest);
    (length <= longest).then_some((is_v4, bits, length))
}

fn bits(address: IpAddr) -> (bool, u128) {
    match address.to_canonical() {
        IpAddr::V4(address) => (true, u128::from(u32::from(address)) << 96),
        IpAddr::V6(address) => (false, u128::from(address)),
    }
}

/// True for an address, and for a network such as `196.201.214.0/24`.
#[must_use]
pub fn is_network(text: &str) -> bool {
    network(text).is_some()
}

/// True if the address is in the network.
///
/// ```
/// use backend::values::network::contains;
///
/// assert!(contains("196.201.214.0/24", "196.201.214.206".parse()?));
/// assert!(!contains("196.201.214.0/24", "196.201.213.114".parse()?));
/// assert!(contains("196.201.214.206", "::ffff:196.201.214.206".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn contains(text: &str, address: IpAddr) -> bool {
    let (is_v4, address) = bits(address);
    network(text).is_some_and(|(network_is_v4, first, length)| {
        let differ = (first ^ address).checked_shr(128 - length).unwrap_or(0);
        network_is_v4 == is_v4 && differ == 0
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_network_has_those_that_begin_alike() {
        let is_in = |network, address: &str| contains(network, address.parse().unwrap());
        assert!(is_in("0.0.0.0/0", "203.0.113.7") && !is_in("0.0.0.0/0", "2001:db8::1"));
        assert!(is_in("2001:db8::/32", "2001:db8:ffff::1") && !is_in("2001:db8::/32", "2001:db9::1"));
        assert!(is_in("10.1.2.3/8", "10.9.9.9") && !is_in("10.1.2.3", "10.1.2.4"));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/x", "10.0.0.0/8/8"] {
            assert!(!is_network(text), "{text}");
        }
    }
}
