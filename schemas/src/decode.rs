//! JSON text to a type, lenient where the contract is lenient, with the path of every fault.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::strict::{self, Sure, Text};

/// What kind of fault it is: the `reason` of a dead letter and the label of `faults_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultReason {
    /// The payload is larger than the limit.
    TooLarge,
    /// The payload is not UTF-8.
    NotUtf8,
    /// The payload is not JSON.
    NotJson,
    /// A required field is absent or null.
    Missing,
    /// A value has another JSON type than the contract says.
    WrongType,
    /// A value has the right type and the wrong form.
    WrongForm,
    /// A price in a currency that the exchange rates don't know.
    UnknownCurrency,
    /// A detector panicked on this listing.
    Panic,
}

impl FaultReason {
    /// Those that make a dead letter of a listing.
    pub const OF_DEAD_LETTERS: [Self; 7] =
        [Self::TooLarge, Self::NotUtf8, Self::NotJson, Self::Missing, Self::WrongType, Self::WrongForm, Self::Panic];

    /// The name that dead letters and metrics carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::Missing => "missing_field",
            Self::WrongType => "wrong_type",
            Self::WrongForm => "wrong_form",
            Self::UnknownCurrency => "unknown_currency",
            Self::Panic => "panic",
        }
    }
}

/// One thing wrong with a payload, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault it is.
    pub reason: FaultReason,
    /// JSON path of the faulty value, such as `variants[2].price.amount`; empty for the whole payload.
    pub path: String,
    /// What was found and what is expected.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { write!(f, "{}", self.detail) } else { write!(f, "{}: {}", self.path, self.detail) }
    }
}

impl std::error::Error for Fault {}

/// A decoded value and the faults in its optional fields, which were dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<T> {
    /// The value without the faulty fields.
    pub value: T,
    /// What was dropped, in the order of the type's fields.
    pub faults: Vec<Fault>,
}

/// Decodes one JSON text.
///
/// # Errors
/// The fault, when the payload is not JSON or a required field is missing, of the wrong type or form.
pub fn decode<T: Decode>(payload: &[u8]) -> Result<Decoded<T>, Fault> {
    let text = std::str::from_utf8(payload).map_err(|e| Fault {
        reason: FaultReason::NotUtf8,
        path: String::new(),
        detail: format!("byte {} is not UTF-8", e.valid_up_to()),
    })?;
    if let Ok(Sure(value)) = serde_json::from_str(text) {
        return Ok(Decoded { value, faults: Vec::new() });
    }
    lenient(text)
}

/// Decodes what has a fault somewhere: the fault and its path are told, and what is optional dropped.
pub(crate) fn lenient<T: Decode>(text: &str) -> Result<Decoded<T>, Fault> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|e| Fault {
        reason: FaultReason::NotJson,
        path: String::new(),
        detail: format!("not a JSON text: {e}"),
    })?;
    let mut decoder = Decoder::default();
    let value = T::decode(raw, &mut decoder)?;
    Ok(Decoded { value, faults: decoder.faults })
}

/// A type that a JSON value can be decoded into.
pub trait Decode: Sized {
    /// Decodes one value that stands at the decoder's path.
    ///
    /// # Errors
    /// The fault that makes the whole value unusable.
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault>;

    /// Reads a value that is wholly as the contract says, in one pass.
    ///
    /// # Errors
    /// Anything at all is not: then [`Decode::decode`] says what.
    fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// A type that can tell its JSON Schema.
pub trait Schema {
    /// The JSON Schema of the type.
    fn schema() -> Value;
}

/// Where the decoder stands and what it has dropped.
#[derive(Debug, Default)]
pub struct Decoder {
    path: String,
    faults: Vec<Fault>,
}

impl Decoder {
    /// A fault at the present path.
    pub fn fault(&self, reason: FaultReason, detail: impl Into<String>) -> Fault {
        Fault { reason, path: self.path.clone(), detail: detail.into() }
    }

    fn within<T>(&mut self, step: fmt::Arguments<'_>, inner: impl FnOnce(&mut Self) -> T) -> T {
        use fmt::Write;
        let before = self.path.len();
        // Writing to a String cannot fail.
        let _ = self.path.write_fmt(step);
        let out = inner(self);
        self.path.truncate(before);
        out
    }

    fn at_key<T>(&mut self, key: &str, inner: impl FnOnce(&mut Self) -> T) -> T {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.within(format_args!("{dot}{key}"), inner)
    }

    fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.faults.push(fault)).ok()
    }

    /// Makes an optional field required: its absence, or the fault that dropped it, is the fault of the whole.
    ///
    /// # Errors
    /// That fault, when the field is not `there`.
    pub fn insist(&mut self, there: bool, key: &str) -> Result<(), Fault> {
        if there {
            return Ok(());
        }
        let inside = |fault: &Fault| fault.path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let dropped = self.faults.iter().rposition(inside).map(|i| self.faults.remove(i));
        Err(dropped.unwrap_or_else(|| self.at_key(key, |d| d.fault(FaultReason::Missing, "is required and missing"))))
    }

    /// A wrong-type fault that says what was found.
    pub fn wrong_type(&self, expected: &str, raw: &RawValue) -> Fault {
        self.fault(FaultReason::WrongType, format!("expected {expected}, found {}", type_name(raw)))
    }
}

fn type_name(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The members of a JSON object, the last of equal keys kept.
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                    members.push((key, map.next_value::<&'de RawValue>()?));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'a> Object<'a> {
    pub(crate) fn read(raw: &'a RawValue, decoder: &Decoder) -> Result<Self, Fault> {
        if !raw.get().starts_with('{') {
            return Err(decoder.wrong_type("an object", raw));
        }
        serde_json::from_str(raw.get()).map_err(|e| decoder.fault(FaultReason::WrongForm, e.to_string()))
    }

    fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(k, _)| k == key).map(|(_, raw)| *raw).filter(|raw| raw.get() != "null")
    }

    pub(crate) fn req<T: Decode>(&self, decoder: &mut Decoder, key: &str) -> Result<T, Fault> {
        decoder.at_key(key, |d| match self.get(key) {
            Some(raw) => T::decode(raw, d),
            None => Err(d.fault(FaultReason::Missing, "is required and missing")),
        })
    }

    pub(crate) fn opt<T: Decode>(&self, decoder: &mut Decoder, key: &str) -> Option<T> {
        let raw = self.get(key)?;
        decoder.at_key(key, |d| {
            let value = T::decode(raw, d);
            d.keep(value)
        })
    }

    /// Elements that don't decode are dropped, each with its fault.
    pub(crate) fn list<T: Decode>(&self, decoder: &mut Decoder, key: &str) -> Vec<T> {
        self.elements(decoder, key).into_iter().flatten().collect()
    }

    /// As [`Object::list`], but what doesn't decode leaves an empty element, so that the others keep their index.
    pub(crate) fn slots<T: Decode + Default>(&self, decoder: &mut Decoder, key: &str) -> Vec<T> {
        self.elements(decoder, key).into_iter().map(Option::unwrap_or_default).collect()
    }

    fn elements<T: Decode>(&self, decoder: &mut Decoder, key: &str) -> Vec<Option<T>> {
        let Some(raw) = self.get(key) else { return Vec::new() };
        decoder.at_key(key, |d| {
            let elements = array(raw, d);
            let elements = d.keep(elements).unwrap_or_default();
            let each = |d: &mut Decoder, i: usize, raw: &RawValue| {
                let value = d.within(format_args!("[{i}]"), |d| T::decode(raw, d));
                d.keep(value)
            };
            elements.into_iter().enumerate().map(|(i, raw)| each(d, i, raw)).collect()
        })
    }
}

fn array<'a>(raw: &'a RawValue, decoder: &Decoder) -> Result<Vec<&'a RawValue>, Fault> {
    if !raw.get().starts_with('[') {
        return Err(decoder.wrong_type("an array", raw));
    }
    serde_json::from_str(raw.get()).map_err(|e| decoder.fault(FaultReason::WrongForm, e.to_string()))
}

impl Decode for String {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        if !raw.get().starts_with('"') {
            return Err(decoder.wrong_type("a string", raw));
        }
        serde_json::from_str(raw.get()).map_err(|e| decoder.fault(FaultReason::WrongForm, e.to_string()))
    }

    fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)
    }
}

impl Schema for String {
    fn schema() -> Value {
        serde_json::json!({"type": "string"})
    }
}

impl Decode for bool {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        serde_json::from_str(raw.get()).map_err(|_| decoder.wrong_type("true or false", raw))
    }

    fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer)
    }
}

impl Schema for bool {
    fn schema() -> Value {
        serde_json::json!({"type": "boolean"})
    }
}

impl Decode for f64 {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        if type_name(raw) != "a number" {
            return Err(decoder.wrong_type("a number", raw));
        }
        serde_json::from_str(raw.get()).map_err(|e| decoder.fault(FaultReason::WrongForm, e.to_string()))
    }

    fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer)
    }
}

impl Schema for f64 {
    fn schema() -> Value {
        serde_json::json!({"type": "number"})
    }
}

/// Integers from 0 to 2^63-1, as revisions and counts are.
impl Decode for u64 {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        if type_name(raw) != "a number" {
            return Err(decoder.wrong_type("an integer", raw));
        }
        match raw.get().parse::<i64>() {
            Ok(value) if value >= 0 => Ok(value.unsigned_abs()),
            _ => Err(decoder.fault(FaultReason::WrongForm, format!("expected an integer from 0 to 2^63-1, found {}", cut(raw.get())))),
        }
    }

    fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u64::deserialize(deserializer)?;
        if i64::try_from(value).is_ok() { Ok(value) } else { Err(serde::de::Error::custom("over 2^63-1")) }
    }
}

impl Schema for u64 {
    fn schema() -> Value {
        serde_json::json!({"type": "integer", "minimum": 0, "maximum": i64::MAX})
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        // Of equal keys the last is kept, as in any object.
        let mut map = Self::new();
        for (key, raw) in Object::read(raw, decoder)?.0.into_iter().filter(|(_, raw)| raw.get() != "null") {
            let value = decoder.at_key(&key, |d| {
                let value = T::decode(raw, d);
                d.keep(value)
            });
            value.map(|value| map.insert(key.into_owned(), value));
        }
        Ok(map)
    }

    fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict::map(deserializer)
    }
}

impl<T: Schema> Schema for BTreeMap<String, T> {
    fn schema() -> Value {
        serde_json::json!({"type": "object", "additionalProperties": T::schema()})
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        T::decode(raw, decoder).map(Box::new)
    }

    fn strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::strict(deserializer).map(Box::new)
    }
}

/// A found value short enough for a message.
pub(crate) fn cut(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { format!("{}…", text.chars().take(40).collect::<String>()) }
}

/// A schema that null satisfies, too.
pub(crate) fn nullable(mut schema: Value) -> Value {
    schema["type"] = serde_json::json!([schema["type"].take(), "null"]);
    schema
}

/// Adds one property to a schema under construction.
pub(crate) fn property(properties: &mut Map<String, Value>, key: &str, doc: &str, mut schema: Value) {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), Value::String(doc.trim().to_owned()));
    }
    properties.insert(key.to_owned(), schema);
}

/// The name of a field as JSON writes it.
pub(crate) fn key(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Declares a JSON object: each field is `req`uired, `opt`ional, a `list` (absent when empty), `slots` (a list whose
/// elements keep their index when one of them is dropped), an `array` (written when empty, too), a `flag` (absent when
/// false) or a `null`able field, which is always written.
macro_rules! record {
    ($(#[doc = $doc:literal])* $(#[derive($($derive:ident),*)])? pub struct $name:ident {
        $($(#[doc = $fdoc:literal])* $how:ident $field:ident: $type:ty,)*
    } $(check $check:path)?) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq $($(, $derive)*)?)]
        pub struct $name {
            $($(#[doc = $fdoc])* pub $field: crate::decode::record!(@type $how $type),)*
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(crate::decode::record!(@put $how map, crate::decode::key(stringify!($field)), self.$field);)*
                map.end()
            }
        }

        impl crate::decode::Decode for $name {
            fn decode(raw: &serde_json::value::RawValue, decoder: &mut crate::decode::Decoder) -> Result<Self, crate::decode::Fault> {
                let object = crate::decode::Object::read(raw, decoder)?;
                let record = Self { $($field: crate::decode::record!(@take $how object, decoder, crate::decode::key(stringify!($field))),)* };
                $($check(&record, decoder)?;)?
                Ok(record)
            }

            fn strict<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $(let mut $field = None;)*
                        while let Some(crate::strict::Text(found)) = map.next_key()? {
                            match &*found {
                                $(name if name == crate::decode::key(stringify!($field)) => {
                                    // Of equal keys the last holds: the slow way knows how.
                                    if $field.is_some() {
                                        return Err(A::Error::custom("a key twice"));
                                    }
                                    $field = crate::decode::record!(@strict $how map, $type);
                                })*
                                _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok($name { $($field: crate::decode::record!(@present $how $field, A),)* })
                    }
                }
                let record = deserializer.deserialize_map(Fields)?;
                $($check(&record, &mut crate::decode::Decoder::default()).map_err(D::Error::custom)?;)?
                Ok(record)
            }
        }

        impl crate::decode::Schema for $name {
            fn schema() -> serde_json::Value {
                let mut properties = serde_json::Map::new();
                #[allow(unused_mut)]
                let mut required: Vec<&str> = Vec::new();
                $(
                    let key = crate::decode::key(stringify!($field));
                    crate::decode::property(&mut properties, key, concat!($($fdoc),*), crate::decode::record!(@schema $how $type));
                    crate::decode::record!(@required $how required, key);
                )*
                serde_json::json!({
                    "type": "object",
                    "description": concat!($($doc),*).trim(),
                    "properties": properties,
                    "required": required,
                })
            }
        }
    };
    (@type req $type:ty) => { $type };
    (@type opt $type:ty) => { Option<$type> };
    (@type null $type:ty) => { Option<$type> };
    (@type list $type:ty) => { Vec<$type> };
    (@type slots $type:ty) => { Vec<$type> };
    (@type array $type:ty) => { Vec<$type> };
    (@type flag $type:ty) => { $type };
    (@put req $map:ident, $key:expr, $value:expr) => { $map.serialize_entry($key, &$value)? };
    (@put null $map:ident, $key:expr, $value:expr) => { $map.serialize_entry($key, &$value)? };
    (@put array $map:ident, $key:expr, $value:expr) => { $map.serialize_entry($key, &$value)? };
    (@put opt $map:ident, $key:expr, $value:expr) => { if let Some(value) = &$value { $map.serialize_entry($key, value)?; } };
    (@put flag $map:ident, $key:expr, $value:expr) => { if $value { $map.serialize_entry($key, &true)?; } };
    (@put $how:ident $map:ident, $key:expr, $value:expr) => { if !$value.is_empty() { $map.serialize_entry($key, &$value)?; } };
    (@strict list $map:ident, $type:ty) => { $map.next_value::<Option<Vec<crate::strict::Sure<$type>>>>()?.map(crate::strict::values) };
    (@strict slots $map:ident, $type:ty) => { crate::decode::record!(@strict list $map, $type) };
    (@strict array $map:ident, $type:ty) => { crate::decode::record!(@strict list $map, $type) };
    (@strict $how:ident $map:ident, $type:ty) => { $map.next_value::<Option<crate::strict::Sure<$type>>>()?.map(|sure| sure.0) };
    (@present req $field:ident, $access:ident) => { $field.ok_or_else(|| $access::Error::custom("a field is missing"))? };
    (@present opt $field:ident, $access:ident) => { $field };
    (@present null $field:ident, $access:ident) => { $field };
    (@present $how:ident $field:ident, $access:ident) => { $field.unwrap_or_default() };
    (@take req $object:ident, $decoder:ident, $key:expr) => { $object.req($decoder, $key)? };
    (@take null $object:ident, $decoder:ident, $key:expr) => { $object.opt($decoder, $key) };
    (@take opt $object:ident, $decoder:ident, $key:expr) => { $object.opt($decoder, $key) };
    (@take array $object:ident, $decoder:ident, $key:expr) => { $object.list($decoder, $key) };
    (@take list $object:ident, $decoder:ident, $key:expr) => { $object.list($decoder, $key) };
    (@take slots $object:ident, $decoder:ident, $key:expr) => { $object.slots($decoder, $key) };
    (@take flag $object:ident, $decoder:ident, $key:expr) => { $object.opt($decoder, $key).unwrap_or(false) };
    (@schema list $type:ty) => { serde_json::json!({"type": "array", "items": <$type as crate::decode::Schema>::schema()}) };
    (@schema array $type:ty) => { serde_json::json!({"type": "array", "items": <$type as crate::decode::Schema>::schema()}) };
    (@schema null $type:ty) => { crate::decode::nullable(<$type as crate::decode::Schema>::schema()) };
    (@schema slots $type:ty) => { serde_json::json!({"type": "array", "items": <$type as crate::decode::Schema>::schema()}) };
    (@schema $how:ident $type:ty) => { <$type as crate::decode::Schema>::schema() };
    (@required req $required:ident, $key:expr) => { $required.push($key) };
    (@required null $required:ident, $key:expr) => { $required.push($key) };
    (@required array $required:ident, $key:expr) => { $required.push($key) };
    (@required $how:ident $required:ident, $key:expr) => { let _ = $key; };
}
pub(crate) use record;

/// Declares a closed set of strings.
macro_rules! choice {
    ($(#[doc = $doc:literal])* pub enum $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $text:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum $name {
            $($(#[doc = $vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value as JSON writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl crate::decode::Decode for $name {
            fn decode(raw: &serde_json::value::RawValue, decoder: &mut crate::decode::Decoder) -> Result<Self, crate::decode::Fault> {
                let text = String::decode(raw, decoder)?;
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let known = [$($text),*].join(", ");
                    let found = crate::decode::cut(&text);
                    decoder.fault(crate::decode::FaultReason::WrongForm, format!("expected one of {known}; found {found:?}"))
                })
            }

            fn strict<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::strict::text(deserializer, |text| Self::ALL.iter().copied().find(|value| value.as_str() == text))
            }
        }

        impl crate::decode::Schema for $name {
            fn schema() -> serde_json::Value {
                serde_json::json!({"type": "string", "enum": [$($text),*]})
            }
        }
    };
}
pub(crate) use choice;
