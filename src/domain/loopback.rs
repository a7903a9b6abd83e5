//! Hosts that denote this machine.

use url::Host;

/// Returns whether the host is a loopback address, `localhost` or a name below it (RFC 6761 §6.3).
pub fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref();
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(host: &str) -> bool {
        is_loopback(&Host::parse(host).unwrap())
    }

    #[test]
    fn this_machine_is_known_by_every_name() {
        for host in ["localhost", "LocalHost", "localhost.", "app.localhost", "a.b.localhost.", "127.0.0.1"] {
            assert!(loopback(host), "{host}");
        }
        for host in ["127.255.0.9", "127.1", "0x7f000001", "[::1]", "[0:0::1]"] {
            assert!(loopback(host), "{host}");
        }
    }

    #[test]
    fn other_machines_are_not() {
        for host in ["localhost.evil", "notlocalhost", "localhost.localdomain", "my-localhost", "local"] {
            assert!(!loopback(host), "{host}");
        }
        for host in ["128.0.0.1", "10.0.0.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "127.0.0.1.evil"] {
            assert!(!loopback(host), "{host}");
        }
    }
}
