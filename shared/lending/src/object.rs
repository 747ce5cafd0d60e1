//! Structs that are written as JSON objects and nothing else.

/// What serde derives for a struct takes a JSON array too, as its fields in order. These types are
/// written as objects and nothing else: `"terms": []` is a wrong type.
macro_rules! objects_only {
    ($($name:ident, $expecting:literal;)+) => { $(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        // The derived function, which `remote = "Self"` puts beside the trait's.
                        $name::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    )+ };
}

pub(crate) use objects_only;
