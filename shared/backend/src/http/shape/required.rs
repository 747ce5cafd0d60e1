//! The required fields of a body's parts, from the descriptions of their types in the OpenAPI document.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ArrayItems, Object},
    },
};

/// One step from a body's root towards one of its parts.
#[derive(Clone)]
pub(super) enum Step {
    Field(String),
    Item(usize),
}

/// The required fields of the object at a place in `T`.
pub(super) fn required_at<T: ToSchema>(at: &[Step]) -> Vec<String> {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let mut here = vec![<T as PartialSchema>::schema()];
    for step in at {
        here = resolve(here, &named)
            .into_iter()
            .filter_map(|schema| match (step, schema) {
                (Step::Field(name), Schema::Object(object)) => object.properties.get(name).cloned(),
                (Step::Item(_), Schema::Array(array)) => match array.items {
                    ArrayItems::RefOrSchema(items) => Some(*items),
                    ArrayItems::False => None,
                },
                _ => None,
            })
            .collect();
    }
    let required = |schema| match schema {
        Schema::Object(Object { required, .. }) => required,
        _ => Vec::new(),
    };
    resolve(here, &named).into_iter().flat_map(required).collect()
}

/// The schemas themselves: references followed, alternatives side by side.
fn resolve(schemas: Vec<RefOr<Schema>>, named: &[(String, RefOr<Schema>)]) -> Vec<Schema> {
    let follow = |schema| match schema {
        RefOr::Ref(to) => {
            let name = to.ref_location.rsplit('/').next().unwrap_or_default();
            let found = named.iter().find(|(known, _)| known == name).map(|(_, schema)| schema.clone());
            found.map_or_else(Vec::new, |schema| resolve(vec![schema], named))
        }
        RefOr::T(Schema::OneOf(one)) => resolve(one.items, named),
        RefOr::T(Schema::AllOf(all)) => resolve(all.items, named),
        RefOr::T(Schema::AnyOf(any)) => resolve(any.items, named),
        RefOr::T(schema) => vec![schema],
    };
    schemas.into_iter().flat_map(follow).collect()
}
