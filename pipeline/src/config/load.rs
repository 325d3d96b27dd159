//! From a file and the environment to a configuration, or to what is wrong with them.

use std::path::Path;

use touchstone_detectors::nearest;

use super::{Config, SECTIONS};
use crate::failure::Failure;

/// What the variables of the environment begin with.
const PREFIX: &str = "TOUCHSTONE__";

/// Reads a configuration file and what the environment overrides.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::Usage(format!("{}: cannot be read: {e}", path.display())))?;
    parse(&text, std::env::vars()).map_err(|message| Failure::Usage(format!("{}:{message}", path.display())))
}

fn parse(text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Config, String> {
    let _: Config = toml::from_str(text).map_err(|e| with_place(text, &e))?;
    let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| with_place(text, &e))?;
    let mut overrides: Vec<(String, String)> = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    overrides.sort();
    for (name, value) in overrides {
        override_key(&mut table, &name, &value).map_err(|message| format!(" {name}: {message}"))?;
    }
    let mut config: Config = table.try_into().map_err(|e: toml::de::Error| format!(" {}", e.message()))?;
    config.check().and_then(|()| config.read_secrets()).map_err(|message| format!(" {message}"))?;
    Ok(config)
}

/// What is said of a secret of the wrong type: not what it is.
const HIDDEN: &str = "is of the wrong type (the value is not shown)";

/// Whether a key's value must not be shown.
fn is_secret(key: &str) -> bool {
    ["password", "token", "secret", "key"].iter().any(|word| key.to_lowercase().contains(word))
}

fn override_key(table: &mut toml::Table, name: &str, value: &str) -> Result<(), String> {
    let parts: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
    let [section, key] = parts.as_slice() else { return Err(format!("is not of the form {PREFIX}SECTION__KEY")) };
    let did_you_mean = |known: Option<&str>| known.map(|k| format!("; did you mean {PREFIX}{}?", k.to_uppercase())).unwrap_or_default();
    let Some(known) = SECTIONS.iter().find(|s| s.name == section) else {
        let near = nearest(section, SECTIONS.iter().map(|s| s.name)).map(|s| format!("{s}__{key}"));
        return Err(format!("there is no section {section:?}{}", did_you_mean(near.as_deref())));
    };
    if !known.keys.iter().any(|(k, ..)| k == key) {
        let near = nearest(key, known.keys.iter().map(|(k, ..)| *k)).map(|k| format!("{section}__{k}"));
        return Err(format!("there is no key {key:?}{}", did_you_mean(near.as_deref())));
    }
    let entry = table.entry(section.as_str()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let section_table = entry.as_table_mut().ok_or("the section is not a table")?;
    // A number, a list or a table as TOML writes it; else a text, which needs no quotes.
    let read = |text: &str| format!("v = {text}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
    let parsed = read(value).unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let try_out = |value: toml::Value| {
        let mut trial = toml::Table::new();
        trial.insert(section.clone(), toml::Value::Table(toml::Table::from_iter([(key.clone(), value.clone())])));
        trial.try_into::<Config>().map(|_| value)
    };
    // "123" may be meant as a text.
    let wrong = |e: &toml::de::Error| if is_secret(key) { HIDDEN.to_owned() } else { e.message().to_owned() };
    let value = try_out(parsed).or_else(|e| try_out(toml::Value::String(value.to_owned())).map_err(|_| wrong(&e)))?;
    section_table.insert(key.clone(), value);
    Ok(())
}

/// The line of an error, what is wrong, and what was meant.
fn with_place(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let key = text.lines().nth(line.saturating_sub(1)).and_then(|l| l.split('=').next()).unwrap_or_default();
    let message = if is_secret(key) && !error.message().starts_with("unknown field") { HIDDEN } else { error.message() };
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let hint = quoted.split_first().filter(|_| message.starts_with("unknown field")).map(|(found, known)| {
        let near = nearest(found, known.iter().copied()).map(|k| format!("; did you mean {k:?}?"));
        format!("unknown key {found:?}{}", near.unwrap_or_else(|| format!("; known are {}", known.join(", "))))
    });
    let line = if line > 0 { format!("{line}: ") } else { " ".to_owned() };
    format!("{line}{}", hint.unwrap_or_else(|| message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, variables: &[(&str, &str)]) -> String {
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        parse(text, variables).map_or_else(|message| message, |config| config.masked().to_string())
    }

    #[test]
    fn faults_say_where_and_what_was_meant() {
        for (text, variables, expected) in [
            ("[kafka]\n\nbrokres = \"a:1\"", vec![], "3: unknown key \"brokres\"; did you mean \"brokers\"?"),
            ("[kafak]\nbrokers = \"a:1\"", vec![], "1: unknown key \"kafak\"; did you mean \"kafka\"?"),
            ("[worker]\nthreads = \"two\"", vec![], "2: invalid type: string \"two\", expected u64"),
            ("[worker]\nbatch_listings = 0", vec![], " worker.batch_listings = 0 is not from 1 to 100000"),
            ("[logs]\nformat = \"xml\"", vec![], " logs.format = \"xml\" is not one of text, json"),
            (
                "[pictures]\nstores = [\"s3://bucket/photos\"]",
                vec![],
                " pictures.stores: \"s3://bucket/photos\" does not end with \"/\": write \"s3://bucket/photos/\"",
            ),
            ("[kafka]\nkey_file = \"k\"", vec![], " kafka.cert_file and kafka.key_file go together: give both or neither"),
            (
                "[kafka]\npassword = \"hush\"\npassword_file = \"f\"",
                vec![],
                " kafka.password and kafka.password_file are both given: leave one out",
            ),
            ("[http]\nservice = \"8080\"", vec![], " http.service = \"8080\" is not an address like 127.0.0.1:8080"),
            (
                "[kafka.properties]\n\"isolation.level\" = \"x\"",
                vec![],
                " kafka.properties: \"isolation.level\" is what the worker relies on, and cannot be set",
            ),
            (
                "",
                vec![("TOUCHSTONE__KAFKA__BROKER", "a:1")],
                " TOUCHSTONE__KAFKA__BROKER: there is no key \"broker\"; did you mean TOUCHSTONE__KAFKA__BROKERS?",
            ),
            (
                "",
                vec![("TOUCHSTONE__WORKER__THREADS", "many")],
                " TOUCHSTONE__WORKER__THREADS: invalid type: string \"many\", expected u64",
            ),
        ] {
            assert_eq!(told(text, &variables), expected, "{text} {variables:?}");
        }
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let variables = [
            ("TOUCHSTONE__KAFKA__GROUP_ID", "123"),
            ("TOUCHSTONE__WORKER__THREADS", "3"),
            ("TOUCHSTONE__HTTP__TOKENS", "[\"a\"]"),
            ("HOME", "/"),
        ];
        let shown = told("[kafka]\ngroup_id = \"file\"\nbrokers = \"b:1\"", &variables);
        for part in ["\"group_id\":\"123\"", "\"brokers\":\"b:1\"", "\"threads\":3", "\"tokens\":[\"***\"]"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
