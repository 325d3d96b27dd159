//! Sections of a configuration, declared once: the struct, its defaults and its commented reference come from one place.

/// What the reference tells of a section.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    /// Name, doc and default of each key, as TOML writes it.
    pub(super) keys: &'static [(&'static str, &'static str, &'static str)],
}

impl Section {
    pub(super) fn write(&self, out: &mut String) {
        *out += &format!("\n#{}\n[{}]\n", self.doc, self.name);
        for (key, doc, default) in self.keys {
            *out += &format!("#{doc}\n{key} = {default}\n");
        }
    }
}

/// Declares a configuration of sections.
macro_rules! sections {
    ($(#[doc = $doc:literal])* $config:ident $($(#[doc = $sdoc:literal])* $section:ident: $type:ident {
        $($(#[doc = $kdoc:literal])* $key:ident: $ktype:ty = $default:tt,)*
    })*) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $config { $($(#[doc = $sdoc])* pub(crate) $section: $type,)* }

        $(
            $(#[doc = $sdoc])*
            #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub(crate) struct $type { $($(#[doc = $kdoc])* pub(crate) $key: $ktype,)* }

            impl Default for $type {
                fn default() -> Self {
                    #[derive(serde::Deserialize)]
                    struct Defaults { $($key: $ktype,)* }
                    let text = concat!($(stringify!($key), " = ", stringify!($default), "\n"),*);
                    // The same text stands in the reference, which a test reads.
                    let Defaults { $($key),* } = toml::from_str(text).unwrap_or_else(|e| unreachable!("the defaults of {}: {e}", stringify!($section)));
                    Self { $($key),* }
                }
            }
        )*

        impl Default for $config {
            fn default() -> Self {
                Self { $($section: $type::default()),* }
            }
        }

        const SECTIONS: &[Section] = &[$(Section {
            name: stringify!($section),
            doc: concat!($($sdoc),*),
            keys: &[$((stringify!($key), concat!($($kdoc),*), stringify!($default))),*],
        }),*];

        /// The commented reference: every key with its default.
        pub(crate) fn reference() -> String {
            let mut text = "# Every key of the configuration with its default: touchstone run --config FILE.\n# A variable TOUCHSTONE__SECTION__KEY overrides a key.\n".to_owned();
            SECTIONS.iter().for_each(|section| section.write(&mut text));
            text
        }
    };
}
pub(super) use sections;
