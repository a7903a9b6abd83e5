//! Hexadecimal decoding of values that other systems wrote.

/// The bytes of pairs of digits in either case; `None` if the text is not hexadecimal.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let is_whole = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    if is_whole { (0..text.len()).step_by(2).map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_digits_are_bytes() {
        assert_eq!(decode(""), Some(Vec::new()));
        assert_eq!(decode("00ffA5b"), None);
        assert_eq!(decode("00ffA5b0"), Some(vec![0, 255, 0xa5, 0xb0]));
        for wrong in ["0", "0g", "+1", "0x00", "é0", " 00"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
