-- Calendars of the countries whose microloans every lender starts with: the weekend, and the holidays that a law has on a date
-- of its own in each year. Feasts that move with the moon or are proclaimed year by year (Easter, Idd, Diwali, Tet, and the days
-- given for a holiday on a Sunday; Ninoy Aquino Day, which a proclamation moved in 2024) are the lender's to enter.
--
-- Kenya: Public Holidays Act, First Schedule. India: the three national holidays. Nigeria: Public Holidays Act, Schedule.
-- Vietnam: Labour Code 2019, article 112. Philippines: Republic Acts 9492, 9256 and 10966.

WITH countries (code, name) AS (
    VALUES ('ke', 'Kenya'), ('in', 'India'), ('ng', 'Nigeria'), ('vn', 'Vietnam'), ('ph', 'Philippines')
), fixed (code, month, day, name) AS (
    VALUES
        ('ke', 1, 1, 'New Year''s Day'), ('ke', 5, 1, 'Labour Day'), ('ke', 6, 1, 'Madaraka Day'),
        ('ke', 10, 10, 'Mazingira Day'), ('ke', 10, 20, 'Mashujaa Day'), ('ke', 12, 12, 'Jamhuri Day'),
        ('ke', 12, 25, 'Christmas Day'), ('ke', 12, 26, 'Boxing Day'),
        ('in', 1, 26, 'Republic Day'), ('in', 8, 15, 'Independence Day'), ('in', 10, 2, 'Gandhi Jayanti'),
        ('ng', 1, 1, 'New Year''s Day'), ('ng', 5, 1, 'Workers'' Day'), ('ng', 6, 12, 'Democracy Day'),
        ('ng', 10, 1, 'Independence Day'), ('ng', 12, 25, 'Christmas Day'), ('ng', 12, 26, 'Boxing Day'),
        ('vn', 1, 1, 'New Year''s Day'), ('vn', 4, 30, 'Reunification Day'), ('vn', 5, 1, 'Labour Day'),
        ('vn', 9, 2, 'National Day'),
        ('ph', 1, 1, 'New Year''s Day'), ('ph', 4, 9, 'Day of Valor'), ('ph', 5, 1, 'Labor Day'),
        ('ph', 6, 12, 'Independence Day'), ('ph', 11, 1, 'All Saints'' Day'),
        ('ph', 11, 30, 'Bonifacio Day'), ('ph', 12, 8, 'Feast of the Immaculate Conception'),
        ('ph', 12, 25, 'Christmas Day'), ('ph', 12, 30, 'Rizal Day'), ('ph', 12, 31, 'Last Day of the Year')
), dated AS (
    SELECT code, make_date(year, month, day) AS holiday, name FROM fixed CROSS JOIN generate_series(2024, 2035) year
)
INSERT INTO calendars (code, version, name, weekend, holidays_on, holiday_names, covers_from, covers_to)
SELECT code, 1, c.name, ARRAY['sat', 'sun'], array_agg(d.holiday ORDER BY d.holiday), array_agg(d.name ORDER BY d.holiday),
    '2024-01-01', '2035-12-31'
FROM countries c JOIN dated d USING (code) GROUP BY code, c.name;

INSERT INTO calendar_versions (code, version, name, weekend, holidays_on, holiday_names, covers_from, covers_to, created_at, at)
SELECT code, version, name, weekend, holidays_on, holiday_names, covers_from, covers_to, created_at, updated_at FROM calendars;
