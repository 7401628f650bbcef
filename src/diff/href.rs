//! When two link addresses lead to the same place.

use std::borrow::Cow;

use crate::digest::from_hex;

/// Where a delivery network hides mail addresses from harvesters: after the `#` a key byte and the
/// address, every byte of it with the key, in hex. Each delivery draws another key.
const HIDDEN_MAIL: &str = "/cdn-cgi/l/email-protection#";

/// The name by which a link is compared: the address as written, but a mail address that a delivery
/// network hides in another way every time, as the mail address it is.
#[must_use]
pub fn leads_to(href: &str) -> Cow<'_, str> {
    href.split_once(HIDDEN_MAIL)
        .and_then(|(_, hidden)| mail(hidden))
        .map_or(Cow::Borrowed(href), Cow::Owned)
}

fn mail(hidden: &str) -> Option<String> {
    let bytes = from_hex(hidden).ok()?;
    let (key, address) = bytes.split_first()?;
    let address = address.iter().map(|byte| byte ^ key).collect();
    let address = String::from_utf8(address).ok()?;
    address.contains('@').then(|| format!("mailto:{address}"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn hide(address: &str, key: u8) -> String {
        let mut hidden = String::new();
        for byte in address.bytes() {
            write!(hidden, "{:02x}", byte ^ key).unwrap();
        }
        format!("/cdn-cgi/l/email-protection#{key:02x}{hidden}")
    }

    #[test]
    fn a_hidden_mail_address_is_the_same_under_every_key() {
        let one = hide("desk@press.example", 0x2c);
        let two = format!("https://press.example{}", hide("desk@press.example", 0xdb));
        assert_eq!(leads_to(&one), "mailto:desk@press.example");
        assert_eq!(leads_to(&one), leads_to(&two));
        assert_ne!(leads_to(&one), leads_to(&hide("news@press.example", 0x2c)));
        for plain in [
            "/a#b",
            "/cdn-cgi/l/email-protection#zz",
            "/cdn-cgi/l/email-protection#2c",
        ] {
            assert_eq!(leads_to(plain), plain);
        }
        let odd = format!("{one}f");
        assert_eq!(leads_to(&odd), odd);
    }
}
