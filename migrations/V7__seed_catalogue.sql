-- The products every lender starts with: a microloan in each of five currencies, the default there, and four loans in
-- INR at one rate each.

INSERT INTO products (code, version, name, currency, min_amount, max_amount, min_instalments, max_instalments,
    min_rate_apr, max_rate_apr, is_default, active, terms)
SELECT code, 1, name, currency, min_amount, max_amount, 1, max_instalments, min_rate, max_rate, is_default, true,
    -- Complete, as the interface shows terms; everything but rate and instalments has its default.
    jsonb_build_object(
        'interest_rate_apr', rate, 'instalments', 12, 'repay_every', 1, 'repay_unit', 'month', 'first_due_on', null,
        'interest_method', 'declining_balance', 'amortization', 'equal_instalments',
        'interest_period', 'repayment_period', 'day_count', '30/360', 'rounding', 'half_even',
        'smallest_amount', null, 'instalment_multiple', null, 'month_end', 'clamp',
        'grace', jsonb_build_object('principal', 0, 'interest_payment', 0, 'interest_free', 0), 'fees', jsonb_build_array(),
        'allocation', 'penalty_fee_interest_principal', 'late_fee', null, 'prepayment', 'next_instalments')
FROM (VALUES
    ('microloan-kes', 'Microloan KES', 'KES', 0.01, 50000, 60, 0, 100, '24.00', true),
    ('microloan-inr', 'Microloan INR', 'INR', 0.01, 50000, 60, 0, 100, '24.00', true),
    ('microloan-ngn', 'Microloan NGN', 'NGN', 0.01, 50000, 60, 0, 100, '24.00', true),
    ('microloan-vnd', 'Microloan VND', 'VND', 1, 50000, 60, 0, 100, '24.00', true),
    ('microloan-php', 'Microloan PHP', 'PHP', 0.01, 50000, 60, 0, 100, '24.00', true),
    ('home', 'Home loan', 'INR', 1, 10000000, 360, 6.90, 6.90, '6.90', false),
    ('personal', 'Personal loan', 'INR', 1, 10000000, 360, 10.75, 10.75, '10.75', false),
    ('car', 'Car loan', 'INR', 1, 10000000, 360, 7.25, 7.25, '7.25', false),
    ('education', 'Education loan', 'INR', 1, 10000000, 360, 14.70, 14.70, '14.70', false)
) AS seed (code, name, currency, min_amount, max_amount, max_instalments, min_rate, max_rate, rate, is_default);

INSERT INTO product_versions (code, version, name, currency, min_amount, max_amount, min_instalments, max_instalments,
    min_rate_apr, max_rate_apr, is_default, active, terms, at)
SELECT code, version, name, currency, min_amount, max_amount, min_instalments, max_instalments,
    min_rate_apr, max_rate_apr, is_default, active, terms, created_at
FROM products;
