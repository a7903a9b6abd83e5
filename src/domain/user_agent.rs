//! Recognition of browser and system by `User-Agent`. It proves nothing.

/// Browser families by the word that identifies them; the first match counts, because later browsers also name earlier
/// ones.
const BROWSERS: [(&str, &str); 8] = [
    ("CriOS/", "Chrome"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari/", "Safari"),
];

/// Operating systems, by the same rule.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The browser family, if known.
pub fn browser(user_agent: &str) -> Option<&'static str> {
    known(&BROWSERS, user_agent)
}

/// The family of its operating system, if known.
pub fn system(user_agent: &str) -> Option<&'static str> {
    known(&SYSTEMS, user_agent)
}

/// The label for the user, as far as known: `Firefox, Linux`.
pub fn label(user_agent: &str) -> String {
    [browser(user_agent), system(user_agent)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The major version. `Safari` has it in another word.
pub fn major(user_agent: &str) -> Option<&str> {
    let (word, _) = BROWSERS.iter().find(|(word, _)| user_agent.contains(word))?;
    let word = if *word == "Safari/" { "Version/" } else { word };
    let (_, rest) = user_agent.split_once(word)?;
    let (_, version) = rest.split_once('/').filter(|_| !word.ends_with('/')).unwrap_or(("", rest));
    version.split(|c: char| !c.is_ascii_digit()).next().filter(|major| !major.is_empty())
}

fn known(families: &[(&str, &'static str)], user_agent: &str) -> Option<&'static str> {
    families.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, family)| *family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_its_family() {
        const WEBKIT: &str = "Mozilla/5.0 (X) AppleWebKit/537.36 (KHTML, like Gecko)";
        for (rest, family, version) in [
            ("Chrome/140.0 Safari/537.36", Some("Chrome"), Some("140")),
            ("Chrome/140.0 Safari/537.36 Edg/141.0", Some("Edge"), Some("141")),
            ("Chrome/140.0 Safari/537.36 OPR/120.0", Some("Opera"), Some("120")),
            ("CriOS/140.0 Mobile/15E148 Safari/604.1", Some("Chrome"), Some("140")),
            ("FxiOS/143.0 Mobile/15E148 Safari/605.1.15", Some("Firefox"), Some("143")),
            ("Version/18.5 Safari/605.1.15", Some("Safari"), Some("18")),
            ("", None, None),
        ] {
            let text = format!("{WEBKIT} {rest}");
            assert_eq!((browser(&text), major(&text)), (family, version), "{rest}");
        }
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
        assert_eq!(
            (browser(firefox), major(firefox), system(firefox)),
            (Some("Firefox"), Some("143"), Some("Linux"))
        );
        assert_eq!(system("Mozilla/5.0 (Linux; Android 15)"), Some("Android"));
        assert_eq!(system("curl/8"), None);
    }
}
