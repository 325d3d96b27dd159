//! Whatever is decoded is written and decoded again to the same.

use serde::Serialize;
use serde_json::Value;
use touchstone_schemas::{Decode, decode};

/// Holds one kind of event to it; bytes that are no such event are left alone.
pub fn round_trip<T: Decode + Serialize>(bytes: &[u8]) {
    let Ok(first) = decode::<T>(bytes) else { return };
    let written = serde_json::to_vec(&first.value).expect("what was decoded can be written");
    let again = decode::<T>(&written).unwrap_or_else(|fault| panic!("what was written cannot be read: {fault}"));
    assert!(again.faults.is_empty(), "{:?}", again.faults);
    let value = |value: &T| serde_json::to_value(value).expect("what was decoded can be written");
    let (first, again) = (value(&first.value), value(&again.value));
    assert!(alike(&first, &again), "{first}\n{again}");
}

/// Whether two values are the same: of fractions, as near as a float comes that is written and read.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b))),
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => near(a.as_f64(), b.as_f64()),
        _ => a == b,
    }
}

/// Within the last digits of a float.
fn near(a: Option<f64>, b: Option<f64>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    (a - b).abs() <= a.abs() * 1e-12 + f64::MIN_POSITIVE
}
