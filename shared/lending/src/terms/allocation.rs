//! The allocation of payments, as data rather than code.

use std::borrow::Cow;

use jiff::civil::Date;
use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{objects_only, refused};
use crate::words::words;

words! {
    /// The due date of an amount, seen from the day it is paid.
    Bucket {
        /// Before that day.
        PastDue = "past_due",
        /// On that day.
        Due = "due",
        /// After that day.
        InAdvance = "in_advance",
    }
}

impl Bucket {
    /// The bucket of an amount due on `due_on` for a payment on `paid_on`.
    #[must_use]
    pub fn of(due_on: Date, paid_on: Date) -> Self {
        match due_on.cmp(&paid_on) {
            std::cmp::Ordering::Less => Self::PastDue,
            std::cmp::Ordering::Equal => Self::Due,
            std::cmp::Ordering::Greater => Self::InAdvance,
        }
    }
}

words! {
    /// A component of the amounts owed.
    Component {
        /// Late fees and charged penalties.
        Penalty = "penalty",
        /// Fees of instalments and charged fees.
        Fee = "fee",
        /// Interest.
        Interest = "interest",
        /// Principal.
        Principal = "principal",
    }
}

/// Amounts that are paid instalment by instalment, the oldest first, in an instalment component by
/// component, and in a component the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", serde(deny_unknown_fields), schema(example = json!({
    "buckets": ["past_due", "due"], "components": ["interest", "principal", "fee", "penalty"]})))]
pub struct AllocationGroup {
    /// The amounts, by their own due dates.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Bucket>, min_items = 1, max_items = 3))]
    pub buckets: Cow<'static, [Bucket]>,
    /// The components, in their order.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Component>, min_items = 1, max_items = 4))]
    pub components: Cow<'static, [Component]>,
}

words! {
    /// An order in which payments are allocated that has a name.
    #[derive(Default)]
    AllocationPreset {
        /// Past due, then due, then in advance; in each: penalty, fee, interest, principal.
        #[default]
        PenaltyFeeInterestPrincipal = "penalty_fee_interest_principal",
        /// Past due and due together: penalty, fee, interest, principal; then in advance:
        /// principal, penalty, fee, interest.
        DuePenaltyFeeInterestPrincipalInAdvancePrincipalPenaltyFeeInterest =
            "due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest",
        /// Past due and due together: penalty, interest, principal, fee; then in advance:
        /// penalty, interest, principal, fee.
        DuePenaltyInterestPrincipalFeeInAdvancePenaltyInterestPrincipalFee =
            "due_penalty_interest_principal_fee_in_advance_penalty_interest_principal_fee",
        /// Interest past due, interest due, principal past due, principal due, then penalties and
        /// fees past due and due, then in advance: interest, principal, fee, penalty.
        OverdueInterestFirst = "overdue_interest_first",
    }
}

/// The order in which payments are allocated: the name of a list of groups, or the list itself.
///
/// In a list each bucket comes with each component exactly once.
///
/// ```
/// use lending::{Allocation, AllocationPreset};
///
/// let named: Allocation = serde_json::from_str(r#""overdue_interest_first""#)?;
/// assert_eq!(named, AllocationPreset::OverdueInterestFirst.into());
///
/// let principal_first: Allocation = serde_json::from_str(
///     r#"[{"buckets": ["past_due", "due"], "components": ["principal", "interest", "fee", "penalty"]},
///         {"buckets": ["in_advance"], "components": ["principal", "interest", "fee", "penalty"]}]"#,
/// )?;
/// assert_eq!(principal_first.groups().len(), 2);
/// let gap = serde_json::from_str::<Allocation>(r#"[{"buckets": ["due"], "components": ["fee"]}]"#);
/// assert!(gap.unwrap_err().to_string().starts_with("[allocation_incomplete]"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    serde(untagged),
    schema(
        as = AllocationOrder,
        description = "The order in which payments are allocated: the name of a list of groups, or the list itself. \
            In a list each bucket comes with each component exactly once.",
        example = "penalty_fee_interest_principal"
    )
)]
pub enum Allocation {
    /// A list that has a name.
    Preset(AllocationPreset),
    /// A list of the lender's own.
    Groups(AllocationGroups),
}

/// Groups in the order in which they are paid. Each bucket comes with each component exactly once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 12))]
pub struct AllocationGroups(Vec<AllocationGroup>);

/// A list does not have each bucket with each component exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// A group without buckets or without components.
    #[error("must have buckets and components in each group")]
    EmptyGroup,
    /// Amounts that are never paid.
    #[error("must have each bucket with each component: {} {} is missing", .bucket.as_str(), .component.as_str())]
    Incomplete {
        /// Their bucket.
        bucket: Bucket,
        /// Their component.
        component: Component,
    },
    /// Amounts that come twice.
    #[error("must have each bucket with each component once: {} {} comes twice", .bucket.as_str(), .component.as_str())]
    Repeats {
        /// Their bucket.
        bucket: Bucket,
        /// Their component.
        component: Component,
    },
}

impl AllocationError {
    /// The stable, `snake_case` code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmptyGroup | Self::Incomplete { .. } => "allocation_incomplete",
            Self::Repeats { .. } => "allocation_repeats",
        }
    }
}

impl Allocation {
    /// The groups, in the order in which they are paid.
    #[must_use]
    pub fn groups(&self) -> &[AllocationGroup] {
        match self {
            Self::Preset(preset) => preset.groups(),
            Self::Groups(groups) => &groups.0,
        }
    }
}

impl AllocationGroups {
    /// A list, if it is one.
    ///
    /// # Errors
    /// [`AllocationError`].
    pub fn new(groups: Vec<AllocationGroup>) -> Result<Self, AllocationError> {
        let mut is_named = [[false; Component::ALL.len()]; Bucket::ALL.len()];
        for group in &groups {
            if group.buckets.is_empty() || group.components.is_empty() {
                return Err(AllocationError::EmptyGroup);
            }
            for bucket in group.buckets.iter().copied() {
                for component in group.components.iter().copied() {
                    if std::mem::replace(&mut is_named[bucket as usize][component as usize], true) {
                        return Err(AllocationError::Repeats { bucket, component });
                    }
                }
            }
        }
        for (bucket, is_named) in Bucket::ALL.into_iter().zip(is_named) {
            for (component, is_named) in Component::ALL.into_iter().zip(is_named) {
                if !is_named {
                    return Err(AllocationError::Incomplete { bucket, component });
                }
            }
        }
        Ok(Self(groups))
    }
}

impl Default for Allocation {
    fn default() -> Self {
        AllocationPreset::default().into()
    }
}

impl From<AllocationPreset> for Allocation {
    fn from(preset: AllocationPreset) -> Self {
        Self::Preset(preset)
    }
}

impl Serialize for Allocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Preset(preset) => preset.serialize(serializer),
            Self::Groups(groups) => groups.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Allocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrList;

        impl<'de> Visitor<'de> for NameOrList {
            type Value = Allocation;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of an allocation or a list of groups")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Allocation, E> {
                AllocationPreset::deserialize(StrDeserializer::new(name)).map(Allocation::Preset)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Allocation, A::Error> {
                let groups = Vec::<GivenGroup>::deserialize(SeqAccessDeserializer::new(list))?;
                let groups = groups.into_iter().map(AllocationGroup::from).collect();
                let groups = AllocationGroups::new(groups).map_err(|error| refused(error.code(), error))?;
                Ok(Allocation::Groups(groups))
            }
        }

        deserializer.deserialize_any(NameOrList)
    }
}

/// [`AllocationGroup`] as a request has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
struct GivenGroup {
    buckets: Vec<Bucket>,
    components: Vec<Component>,
}

objects_only! {
    GivenGroup, "an object with the buckets and components of a group";
}

impl From<GivenGroup> for AllocationGroup {
    fn from(group: GivenGroup) -> Self {
        Self { buckets: group.buckets.into(), components: group.components.into() }
    }
}

use Bucket::{Due, InAdvance, PastDue};
use Component::{Fee, Interest, Penalty, Principal};

const fn group(buckets: &'static [Bucket], components: &'static [Component]) -> AllocationGroup {
    AllocationGroup { buckets: Cow::Borrowed(buckets), components: Cow::Borrowed(components) }
}

static PENALTY_FEE_INTEREST_PRINCIPAL: [AllocationGroup; 3] = [
    group(&[PastDue], &[Penalty, Fee, Interest, Principal]),
    group(&[Due], &[Penalty, Fee, Interest, Principal]),
    group(&[InAdvance], &[Penalty, Fee, Interest, Principal]),
];

static DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST: [AllocationGroup; 2] = [
    group(&[PastDue, Due], &[Penalty, Fee, Interest, Principal]),
    group(&[InAdvance], &[Principal, Penalty, Fee, Interest]),
];

static DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE: [AllocationGroup; 2] = [
    group(&[PastDue, Due], &[Penalty, Interest, Principal, Fee]),
    group(&[InAdvance], &[Penalty, Interest, Principal, Fee]),
];

static OVERDUE_INTEREST_FIRST: [AllocationGroup; 6] = [
    group(&[PastDue], &[Interest]),
    group(&[Due], &[Interest]),
    group(&[PastDue], &[Principal]),
    group(&[Due], &[Principal]),
    group(&[PastDue, Due], &[Penalty, Fee]),
    group(&[InAdvance], &[Interest, Principal, Fee, Penalty]),
];

impl AllocationPreset {
    /// The list that the name stands for.
    #[must_use]
    pub fn groups(self) -> &'static [AllocationGroup] {
        match self {
            Self::PenaltyFeeInterestPrincipal => &PENALTY_FEE_INTEREST_PRINCIPAL,
            Self::DuePenaltyFeeInterestPrincipalInAdvancePrincipalPenaltyFeeInterest => {
                &DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST
            }
            Self::DuePenaltyInterestPrincipalFeeInAdvancePenaltyInterestPrincipalFee => {
                &DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE
            }
            Self::OverdueInterestFirst => &OVERDUE_INTEREST_FIRST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(groups: &[AllocationGroup]) -> Option<&'static str> {
        AllocationGroups::new(groups.to_vec()).err().map(AllocationError::code)
    }

    /// The fold relies on this: every amount has one place.
    #[test]
    fn the_presets_name_every_amount_once() {
        for preset in AllocationPreset::ALL {
            assert_eq!(refusal(preset.groups()), None, "{}", preset.as_str());
        }
    }

    #[test]
    fn a_list_names_every_bucket_with_every_component_exactly_once() {
        let all = &Component::ALL;
        let whole = group(&Bucket::ALL, all);
        assert_eq!(refusal(std::slice::from_ref(&whole)), None);
        assert_eq!(refusal(&[group(&[Due, InAdvance], all), group(&[PastDue], &[Fee, Interest, Penalty])]), INCOMPLETE);
        for incomplete in [vec![], vec![group(&[Due, InAdvance], all)], vec![whole.clone(), group(&[], all)]] {
            assert_eq!(refusal(&incomplete), INCOMPLETE, "{incomplete:?}");
        }
        for repeats in [
            vec![whole.clone(), group(&[Due], &[Fee])],
            vec![group(&[Due, Due], &[Fee])],
            vec![group(&[Due], &[Fee, Penalty, Fee])],
        ] {
            assert_eq!(refusal(&repeats), Some("allocation_repeats"), "{repeats:?}");
        }
    }

    const INCOMPLETE: Option<&str> = Some("allocation_incomplete");
}
