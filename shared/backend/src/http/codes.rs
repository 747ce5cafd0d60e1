//! The codes of refusals, each described once. `docs/errors.md` and the OpenAPI document are generated from these
//! tables, and tests check every code of an answer against them.

use utoipa::openapi::{
    RefOr, Schema,
    schema::{AnyOfBuilder, ObjectBuilder, Type},
};

/// A code of a problem.
#[derive(Clone, Copy, Debug)]
pub struct ProblemCode {
    /// The status that it comes with.
    pub status: u16,
    /// The code.
    pub code: &'static str,
    /// When it occurs.
    pub when: &'static str,
    /// The client's remedy.
    pub remedy: &'static str,
}

/// A code of a field that breaks a rule.
#[derive(Clone, Copy, Debug)]
pub struct FieldCode {
    /// The code.
    pub code: &'static str,
    /// When it occurs.
    pub when: &'static str,
}

const fn problem(status: u16, code: &'static str, when: &'static str, remedy: &'static str) -> ProblemCode {
    ProblemCode { status, code, when, remedy }
}

const fn field(code: &'static str, when: &'static str) -> FieldCode {
    FieldCode { code, when }
}

/// Every code of a problem, by status and code. One code has one status everywhere.
pub const PROBLEMS: &[ProblemCode] = &[
    problem(
        400,
        "bad_cursor",
        "The cursor was not issued for this list, with these filters, to this caller.",
        "Ask for the first page again; take `next_cursor` as it is.",
    ),
    problem(400, "bad_id", "An id in the path is not a UUID.", "Use the `id` that the interface answered."),
    problem(
        400,
        "bad_idempotency_key",
        "`Idempotency-Key` is not 1 to 255 visible ASCII characters, holds a comma, or is sent twice.",
        "Send one key, such as a UUID.",
    ),
    problem(
        400,
        "bad_if_match",
        "`If-Match` is neither `*` nor a list of entity tags in double quotes.",
        "Send the `ETag` of the last answer as it is.",
    ),
    problem(400, "bad_path", "The path cannot be part of a URI.", "Percent-encode it."),
    problem(400, "bad_query_string", "The query string cannot be part of a URI.", "Percent-encode it."),
    problem(
        400,
        "idempotency_key_required",
        "A command that moves money has no `Idempotency-Key`.",
        "Send a key of your own, and the same one when you repeat the request.",
    ),
    problem(400, "not_json", "The body is not JSON.", "Mend the JSON; `detail` names the line and column."),
    problem(400, "not_utf8", "The body is not text in UTF-8.", "Save the file as UTF-8."),
    problem(
        400,
        "not_xml",
        "The body is not XML, or has a document type.",
        "Send the file as the bank made it; `detail` names the line and column.",
    ),
    problem(400, "unreadable_body", "The body did not arrive whole.", "Send the request again."),
    problem(
        400,
        "unreadable_request",
        "The gateway passed on something that is not an HTTP request.",
        "Send the request through the API's own address.",
    ),
    problem(
        401,
        "bad_signature",
        "A notice is not signed by the secret of its source, or was not signed within five minutes.",
        "Sign it as Standard Webhooks 1.0 say, with the present time.",
    ),
    problem(
        401,
        "invalid_code",
        "The user is unknown, or the code is wrong, used, ended or tried too often.",
        "Ask whoever handed the code out for another one; each failure counts against a limit.",
    ),
    problem(
        401,
        "invalid_credentials",
        "The username or the password is wrong.",
        "Ask the person again; each failure counts against a limit.",
    ),
    problem(
        401,
        "totp_invalid",
        "The second factor is wrong, or was used before.",
        "Ask the person again; each failure counts against a limit.",
    ),
    problem(
        401,
        "totp_required",
        "The password or the code is right, and the user has a second factor, which was not sent.",
        "Ask the person for it and send the request again with `totp`; nothing was counted.",
    ),
    problem(
        401,
        "unauthenticated",
        "The request has no token, or one that is malformed, expired, or of a session that ended.",
        "Log in, then send the token as `Authorization: Bearer`.",
    ),
    problem(
        403,
        "account_suspended",
        "The password is right, but an admin suspended the account.",
        "An admin can reactivate it.",
    ),
    problem(
        403,
        "address_refused",
        "A hook is called from an address that is outside the networks of its source.",
        "Add the address to the source's `addresses`.",
    ),
    problem(
        403,
        "agent_not_approved",
        "The password is right, but the agent's account is not approved.",
        "An admin can approve it.",
    ),
    problem(
        403,
        "forbidden",
        "The caller's role does not allow this, or not for somebody else.",
        "Call as a user with a role that the operation names.",
    ),
    problem(
        403,
        "not_for_keys",
        "No key may do this, whatever its scopes.",
        "Log in as a person with a role that the operation names.",
    ),
    problem(
        403,
        "not_the_customers_agent",
        "The caller is an agent, but not the customer's.",
        "The customer's agent or an admin can do it.",
    ),
    problem(
        403,
        "not_the_loans_agent",
        "The caller is an agent, but not the loan's.",
        "The loan's agent or its borrower can do it.",
    ),
    problem(403, "not_yourself", "A customer named another borrower.", "Leave `borrower_id` out, or name the caller."),
    problem(
        403,
        "origin_refused",
        "The request did not come through the network in front of the service.",
        "Use the service's public address.",
    ),
    problem(
        403,
        "own_account",
        "An admin tried to do this to their own account.",
        "Another admin can do it; the own password is changed by `PUT /api/auth/password`.",
    ),
    problem(
        403,
        "own_application",
        "The caller made or last changed the loan or the transaction, or set the password of somebody who did.",
        "Somebody else has to do it.",
    ),
    problem(
        403,
        "scope_missing",
        "The key lacks the scope that the operation asks for.",
        "An admin makes a key with that scope.",
    ),
    problem(
        403,
        "totp_enrolment_required",
        "The caller's role needs a second factor (`REQUIRE_TOTP`), and the caller has none yet.",
        "Begin one with `POST /api/auth/totp` and confirm it.",
    ),
    problem(
        403,
        "viewer_unknown",
        "The network in front of the service did not send the address of the request.",
        "Tell the operator: its distribution has to send the viewer's address.",
    ),
    problem(404, "not_found", "It does not exist, or the caller may not see it.", "Check the path."),
    problem(405, "method_not_allowed", "The path exists, but not with this method.", "See `Allow`."),
    problem(
        409,
        "agent_not_pending",
        "The agent is not in a status from which this step leads.",
        "Read the agent again.",
    ),
    problem(
        409,
        "already_disbursed",
        "The loan is disbursed already.",
        "Read the loan: an earlier request may have taken effect.",
    ),
    problem(409, "already_forwarded", "An agent has the application already.", "Read the loan again."),
    problem(409, "already_reversed", "The transaction is reversed already.", "Nothing is left to do."),
    problem(
        409,
        "already_written_off",
        "The loan was written off before.",
        "Record what comes in as a repayment; it counts as a recovery.",
    ),
    problem(
        409,
        "below_decided",
        "The corrected amount is less than what stands applied and returned of the payment.",
        "Reverse a repayment of it first.",
    ),
    problem(
        409,
        "borrower_erased",
        "The borrower is erased, so no loan of theirs can be opened.",
        "It cannot be done.",
    ),
    problem(
        409,
        "busy",
        "Another request is changing the same thing.",
        "Send the request again after `Retry-After` seconds, with the same key.",
    ),
    problem(
        409,
        "calendar_code_taken",
        "Another request made the calendar meanwhile.",
        "Read it, and send its `ETag` as `If-Match`.",
    ),
    problem(409, "default_product_exists", "The currency has a default product.", "Change that one first."),
    problem(
        409,
        "duplicate_identity",
        "Another customer has this identity; `customer_id` names it.",
        "Check the number; it may be the same person.",
    ),
    problem(409, "email_taken", "Another user has this e-mail address.", "Choose another one."),
    problem(
        409,
        "external_id_taken",
        "Another thing of the same kind has this `external_id`.",
        "Find it by `external_id=` in its list.",
    ),
    problem(
        409,
        "kyc_required",
        "The loan's product asks for a verified customer, and this one is not verified.",
        "An admin verifies the customer first: `POST /api/customers/{id}/kyc`.",
    ),
    problem(409, "last_admin", "It would leave no active admin.", "Make another admin first."),
    problem(
        409,
        "later_event_depends_on_it",
        "A transaction recorded before could no longer stand; `transaction_id` names it.",
        "Reverse that one first.",
    ),
    problem(
        409,
        "loans_open",
        "A loan of the person is pending, approved or disbursed, or money is held for one.",
        "Decide, collect, write off or refund first.",
    ),
    problem(409, "not_approved", "The loan is not approved.", "Read the loan again."),
    problem(409, "not_disbursed", "The loan is not disbursed.", "Read the loan again."),
    problem(409, "not_editable", "The loan is neither pending nor rejected.", "Read the loan again."),
    problem(409, "not_pending", "The loan is not pending.", "Read the loan again: somebody may have decided."),
    problem(
        409,
        "not_settleable",
        "A loan that the disbursement should settle is another borrower's, in another currency, not disbursed, or has \
         a transaction after that day.",
        "Leave it out of `settles`, or disburse on a later day.",
    ),
    problem(409, "not_withdrawable", "The loan is neither pending nor approved.", "Read the loan again."),
    problem(
        409,
        "nothing_to_reschedule",
        "No principal is left from that due date on.",
        "Choose an earlier due date; a loan that is repaid has none.",
    ),
    problem(409, "nothing_to_write_off", "Nothing is unpaid that day.", "Read the loan as of that day."),
    problem(
        409,
        "payment_exists",
        "A payment has the receipt that the repayment names as `reference`; `payment_id` names it.",
        "Apply that payment to the loan.",
    ),
    problem(
        409,
        "product_code_taken",
        "A product with this code exists.",
        "Choose another code, or change that product.",
    ),
    problem(409, "recorded_twice", "A transaction with the same id exists.", "Read the loan's transactions."),
    problem(409, "reversal_of_reversal", "A reversal cannot be reversed.", "Record the transaction again."),
    problem(
        409,
        "settled_by_disbursement",
        "The repayment is a settlement that a disbursement paid; `transaction_id` names that.",
        "Reverse the disbursement: its settlements go with it.",
    ),
    problem(409, "source_code_taken", "A source with this code exists.", "Choose another code."),
    problem(
        409,
        "source_exists",
        "The account of this provider has a source.",
        "Use that one, or name another account.",
    ),
    problem(
        409,
        "too_many_pending",
        "The borrower has as many pending applications as allowed.",
        "Decide on or withdraw one first.",
    ),
    problem(
        409,
        "too_many_transactions",
        "The loan has as many transactions as allowed.",
        "Only a reversal can still be recorded.",
    ),
    problem(409, "totp_enabled", "The user has a second factor already.", "Delete it before another begins."),
    problem(409, "user_erased", "The user is erased, so nothing about it can change.", "It cannot be done."),
    problem(409, "user_not_active", "The user is not active.", "Read the user again."),
    problem(409, "user_not_suspended", "The user is not suspended.", "Read the user again."),
    problem(409, "username_taken", "Another user has this username.", "Choose another one."),
    problem(
        412,
        "stale_version",
        "`If-Match` names another version than the present one.",
        "Read it again, decide again, send the new `ETag`.",
    ),
    problem(413, "body_too_large", "The body is larger than the operation takes.", "Send less; split a batch."),
    problem(
        415,
        "unsupported_media_type",
        "The body is not sent as uncompressed `application/json`.",
        "Set `Content-Type`; send no `Content-Encoding`.",
    ),
    problem(422, "above_held", "A refund of more than is held that day.", "Refund at most the loan's `held`."),
    problem(
        422,
        "above_paid_out",
        "The settlements are more than the loan's amount less its fees.",
        "Settle fewer loans, or agree on a larger one.",
    ),
    problem(422, "above_unapplied", "More than is unapplied of the payment.", "Name at most its `unapplied`."),
    problem(
        422,
        "above_unpaid",
        "A waiver of more than is unpaid of that component that day.",
        "Waive at most what is unpaid.",
    ),
    problem(
        422,
        "another_account",
        "No statement in the file is of the source's account and currency.",
        "Send it to its own source; `account` and `currency` of a source never change.",
    ),
    problem(422, "before_disbursement", "The date is before the disbursement.", "Give a later date."),
    problem(
        422,
        "borrower_not_found",
        "There is no active customer of this name.",
        "Check `borrower_id`; the customer may be suspended or erased.",
    ),
    problem(
        422,
        "date_out_of_range",
        "An instalment would fall due outside the years 1900 to 2200.",
        "Give another date or fewer instalments.",
    ),
    problem(
        422,
        "does_not_amortise",
        "An instalment is below the interest of its period: the loan would never be repaid.",
        "Lower the rate, or choose fewer or longer periods.",
    ),
    problem(
        422,
        "idempotency_key_reused",
        "The `Idempotency-Key` was used for another request.",
        "Use a new key for a new command.",
    ),
    problem(422, "loan_not_found", "There is no loan of this id.", "Take the `id` that the interface answered."),
    problem(422, "not_a_due_date", "No instalment is due on `from`.", "Take a due date of the loan's schedule."),
    problem(422, "not_after_disbursement", "The first due date is not after the disbursement.", "Give a later date."),
    problem(
        422,
        "not_after_due_date_before",
        "The first due date is not after the due date before `from`.",
        "Give a later `first_due_on`.",
    ),
    problem(
        422,
        "not_balanced",
        "The entries of a statement do not lead from its opening to its closing balance.",
        "Ask the bank for the whole statement.",
    ),
    problem(422, "not_positive", "The amount is not more than zero.", "Give a positive amount."),
    problem(422, "other_currency", "The amount is in another currency than the loan.", "Give the loan's currency."),
    problem(
        422,
        "other_value_date",
        "The reversal has another value date than what it reverses.",
        "Leave the date out.",
    ),
    problem(
        422,
        "out_of_range",
        "The number of instalments is outside its range.",
        "Give a number within the range that `detail` names.",
    ),
    problem(
        422,
        "required",
        "`first_due_on` is missing, and the date of the terms is not after the disbursement.",
        "Give `first_due_on`.",
    ),
    problem(
        422,
        "too_large",
        "The amount, or a sum with it, is larger than any that the interface takes.",
        "Give a smaller amount.",
    ),
    problem(
        422,
        "too_many_late_fees",
        "Late fees times instalments would be more than a loan may bear.",
        "Give fewer instalments.",
    ),
    problem(422, "unknown_transaction", "The loan has no such transaction.", "Read the loan's transactions."),
    problem(
        422,
        "validation_failed",
        "A field or parameter breaks a rule; `errors` names each, with a code of the second table.",
        "Mend the fields that `errors` names.",
    ),
    problem(428, "if_match_required", "`If-Match` is missing.", "Read it first, then send its `ETag` as `If-Match`."),
    problem(
        429,
        "too_many_attempts",
        "Too many attempts at passwords, registrations, changes of an e-mail address or commands.",
        "Wait `Retry-After` seconds.",
    ),
    problem(
        500,
        "internal_error",
        "A defect of the server, logged under `request_id`.",
        "Report `request_id`; a command with a key may be sent again.",
    ),
    problem(
        503,
        "unavailable",
        "The database, or the way to it, does not answer.",
        "Send the request again after `Retry-After` seconds, with the same key.",
    ),
];

/// A code of a field as it is known here; `invalid_value` for any other.
#[must_use]
pub fn known(code: &str) -> &'static str {
    FIELDS.iter().find(|known| known.code == code).map_or("invalid_value", |known| known.code)
}

/// Every code of a field, by code.
pub const FIELDS: &[FieldCode] = &[
    field("above_held", "More than is held for the loan that day."),
    field("above_instalments", "A grace longer than the loan."),
    field("above_maximum", "A minimum above its maximum."),
    field("above_paid_out", "Settlements of more than the loan's amount less its fees."),
    field("above_unapplied", "More than is unapplied of the payment."),
    field("above_unpaid", "More than is unpaid of that component that day."),
    field("after_end", "The start of a period after its end."),
    field("agent_not_found", "There is no active agent of this id."),
    field("allocation_incomplete", "An allocation lacks a bucket with a component, or has a group without either."),
    field("allocation_repeats", "An allocation has a bucket with a component twice."),
    field("amount_or_percent", "A fee has neither `amount` nor `percent`, or both."),
    field("amount_out_of_range", "The amount is outside the product's limits."),
    field("another_account", "The money was paid to another account than that of the source."),
    field("bad_idempotency_key", "The key of a batch's item is not 1 to 255 visible ASCII characters without a comma."),
    field("bad_key", "A key of `metadata` is not 1 to 40 letters, digits, dots, underscores and hyphens."),
    field("before_disbursement", "The date is before the disbursement."),
    field("before_payment", "The date is before that of the payment."),
    field("below_minimum", "A maximum below its minimum."),
    field("blank", "The text is empty or shows nothing."),
    field("borrower_not_found", "There is no active customer of this name."),
    field("calendar_not_found", "There is no calendar of this code."),
    field("contact_required", "A user of this role cannot be without this address."),
    field(
        "control_character",
        "The text holds control characters, line breaks, or marks that change the direction of writing.",
    ),
    field("currency_mismatch", "The currency is not the product's."),
    field("currency_required", "Amounts are compared or sorted without `currency`."),
    field("date_out_of_range", "A date, or a due date that follows, is outside the years 1900 to 2200."),
    field("disallowed_character", "A new password holds a character that RFC 8265 excludes."),
    field("does_not_amortise", "An instalment is below the interest of its period: the loan would never be repaid."),
    field("either_or", "Both `term_months` and `instalments` are given."),
    field("extend_needs_days_or_weeks", "A calendar's rule `extend` for months: only days and weeks are skipped."),
    field("idempotency_key_reused", "The key was used for another request; the pointer is empty."),
    field("in_the_future", "The date or instant is in the future."),
    field("in_the_past", "The date is in the past."),
    field("instalments_out_of_range", "The number of instalments is outside the product's limits."),
    field("invalid_value", "The value is not one that this field can have."),
    field("loan_not_found", "There is no loan of this id."),
    field("masked", "The number of an identity is masked, and not as it was read."),
    field("never_a_working_day", "With the rule `extend` each due date is on a day of the weekend."),
    field("never_called", "The code holds a word that makes providers never call an address with it."),
    field("no_default_product", "No product is named, and the currency has no default product."),
    field("not_a_calendar_code", "The text is not 1 to 64 characters of `a-z`, `0-9` and `-`."),
    field("not_a_country", "The text is not two letters."),
    field("not_a_customer", "The user is no customer."),
    field("not_a_date", "The text is not a date of the form `YYYY-MM-DD` in the years 1900 to 2200."),
    field("not_a_due_date", "No instalment is due on that date."),
    field("not_a_multiple", "The amount is not a multiple of `smallest_amount`."),
    field("not_a_name", "The code of a fee is blank or too long."),
    field("not_a_network", "The text is neither an address nor a network."),
    field("not_a_number", "The text is not a decimal number without sign or exponent."),
    field(
        "not_a_pay_ref",
        "The text is not a loan's `pay_ref`: ten digits, the first 1 to 5, the last the check digit.",
    ),
    field("not_a_phone_number", "The text is not a telephone number as in E.164."),
    field("not_a_product_code", "The text is not 1 to 64 characters of `a-z`, `0-9` and `-`."),
    field("not_a_receipt", "The receipt is empty or has more than 200 characters."),
    field("not_a_scope", "The text is not a tag of the OpenAPI document with `:read` or `:write`."),
    field("not_a_source_code", "The text is not 1 to 32 characters of `a-z`, `0-9` and `-`."),
    field("not_a_statement", "The document is no statement of camt.053.001.02 to .08."),
    field("not_a_time_zone", "The text is not the name of a time zone."),
    field("not_a_user", "The text is neither a user's id nor a username."),
    field("not_a_username", "The text is not 3 to 64 letters, digits, dots, underscores and hyphens, or is a UUID."),
    field("not_after_disbursement", "The first due date is not after the disbursement."),
    field(
        "not_after_due_date_before",
        "The first due date is not after the due date before the first instalment that is replaced.",
    ),
    field("not_allowed", "The caller may not choose this."),
    field("not_an_email_address", "The text is not an e-mail address of at most 254 ASCII characters."),
    field("not_an_identity", "Of the text, fewer than 1 or more than 40 letters and digits count."),
    field("not_an_instant", "The text is not an instant as in RFC 3339."),
    field("not_balanced", "The entries do not lead from the opening to the closing balance."),
    field("not_below_instalments", "A grace as long as the loan, or longer."),
    field("not_csv", "The row cannot be read as CSV."),
    field("not_divisible", "`term_months` is not a whole number of the product's periods."),
    field("not_monthly", "`term_months` for a product whose instalments are not monthly."),
    field("not_positive", "The amount is not more than zero."),
    field("not_with_daily_interest", "The value does not go with interest by the balance of each day."),
    field("other_currency", "The amount is in another currency than the loan."),
    field("other_value_date", "The reversal has another value date than what it reverses."),
    field("out_of_range", "The number is outside its range; `detail` names it."),
    field("outside_covers", "A holiday is outside the dates that its calendar covers."),
    field("password_is_email", "The password is the e-mail address."),
    field("password_is_username", "The password is the username."),
    field("product_not_active", "The product can no longer be applied for."),
    field("product_not_found", "There is no product of this code."),
    field("rate_out_of_range", "The rate is outside the product's limits."),
    field("repeated", "The field or parameter is given more than once."),
    field("required", "The field or parameter is missing."),
    field("same_agent", "It is the same agent."),
    field("too_large", "The number is larger than any that the interface takes."),
    field("too_long", "The text has too many characters; `detail` says how many are taken."),
    field("too_many", "The list has too many items; `detail` says how many are taken."),
    field("too_many_decimals", "The number has more decimals than the currency or the percentage allows."),
    field("too_many_flows", "Advances and payments together are too many."),
    field("too_many_late_fees", "Late fees times instalments are more than a loan may bear."),
    field("too_many_pairs", "`metadata` would have more than 20 pairs."),
    field("too_many_words", "A search has more than 10 words."),
    field("too_short", "The password has fewer than 12 characters."),
    field("unchanged", "The value is the one that is there."),
    field("unknown_currency", "The text is not the code of an active ISO 4217 currency."),
    field("unknown_field", "There is no such field or parameter here."),
    field("unknown_source", "There is no such source, or it is not one that this can name."),
    field("unknown_transaction", "The loan has no such transaction."),
    field("unknown_value", "The word is not one of those that `detail` lists."),
    field("version_not_found", "The loan has no such version."),
    field("wrong_password", "It is not the current password."),
    field("wrong_type", "The JSON value has another type than the field."),
];

/// The schema of a problem's code: one of those known today, or a later one. A client that meets an unknown code goes
/// by the status.
pub(super) fn schema() -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let known = text()
        .description(Some("A code of this version"))
        .enum_values(Some(PROBLEMS.iter().map(|problem| problem.code)));
    let later = text().description(Some("A code of a later version"));
    let about = "The error, for a program; stable. `docs/errors.md` describes each code. Later versions may add codes: \
        treat an unknown one by its status.";
    AnyOfBuilder::new().description(Some(about)).item(known).item(later).examples(["validation_failed"]).into()
}
