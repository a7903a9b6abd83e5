//! The parameters of a hash: `name=value` pairs between commas.

/// Named numbers in the order of the text.
pub(super) struct HashParameters<'a>(Vec<(&'a str, u32)>);

impl<'a> HashParameters<'a> {
    /// Parses `a=1,b=2`; the empty text has no parameters.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let pairs = text.split(',').filter(|_| !text.is_empty());
        let read = |pair: &'a str| {
            let (name, value) = pair.split_once('=')?;
            Some((name, number(value)?))
        };
        pairs.map(read).collect::<Option<_>>().map(Self)
    }

    /// The value with this name.
    pub(super) fn get(&self, name: &str) -> Option<u32> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// Whether exactly these names are present, each once.
    pub(super) fn are(&self, names: &[&str]) -> bool {
        self.0.len() == names.len() && names.iter().all(|name| self.get(name).is_some())
    }
}

/// Parses a number in ASCII digits.
pub(super) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
