-- Search for people: `q` of the lists matches beginnings of words.

-- A text without case, accents and invisible marks. Compatibility decomposition separates letters from their accents, which are
-- removed: accents of Latin, Greek and Cyrillic, vowel signs of Arabic, nuktas of Indian scripts. Vowel signs of Indian scripts
-- stay. Pairs of letters are written out, since the result of `lower` depends on the server's locale, and an index must not. The result
-- has at most 254 characters, the length of an e-mail address, so that every word fits into an index.
CREATE FUNCTION fold_text(given text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
DECLARE
    folded text;
BEGIN
    -- ASCII alone.
    IF octet_length(given) = length(given) THEN
        RETURN left(lower(given COLLATE "C"), 254);
    END IF;
    -- An acute accent that stands alone is an apostrophe; it would become a blank.
    folded := regexp_replace(normalize(translate(given, U&'\00B4', ''''), NFKD), '[\u0300-\u036f\u0640\u064b-\u065f\u0670'
        '\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]', '', 'g');
    -- Latin letters that are not decomposed, then Greek, Cyrillic, Armenian.
    folded := translate(lower(folded COLLATE "C"),
        'ĐđĦħıŁłØøŦŧŊŋƁɓƊɗƉɖƐɛƏəƑƒƔɣƘƙƆɔƲʋƳƴÐð'
        'ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩς'
        'АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐҒҚҢҮҰҲҶҺӘӨ'
        'ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ',
        'ddhhilloottnnbbddddeeeeffggkkoovvyydd'
        'αβγδεζηθικλμνξοπρστυφχψωσ'
        'абвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґғқңүұҳҷһәө'
        'աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ');
    -- Apostrophes and hyphens.
    folded := translate(folded, U&'\2018\2019\02BB\02BC\2010\2011', '''''''''--');
    folded := replace(replace(replace(replace(replace(replace(replace(replace(folded,
        'ß', 'ss'), 'ẞ', 'ss'), 'æ', 'ae'), 'Æ', 'ae'), 'œ', 'oe'), 'Œ', 'oe'), 'þ', 'th'), 'Þ', 'th');
    RETURN left(folded, 254);
END
$$;

-- The words that find a user: the e-mail address, the telephone number, and the username and each word of the full name, starting at
-- each of their parts: `asha.w` and `wea` both find `asha.weaver`.
CREATE FUNCTION search_words(username text, email text, phone text, full_name text) RETURNS SETOF text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN QUERY
    SELECT public.fold_text(email) WHERE email IS NOT NULL
    UNION SELECT phone WHERE phone IS NOT NULL
    UNION SELECT substr(whole, start)
    FROM unnest(ARRAY[public.fold_text(username)] || regexp_split_to_array(public.fold_text(full_name), ' +')) whole,
        generate_series(1, length(whole)) start
    WHERE start = 1
        OR strpos('._-''/(),·', substr(whole, start - 1, 1)) > 0 AND strpos('._-''/(),·', substr(whole, start, 1)) = 0;
END
$$;

-- One row for each word. Role, status and time of creation are copies of the user's, so that an index alone yields a page of a list.
-- A page is filled from the newest month backwards: the matches of one month are few enough to sort, and a common word fills the page
-- within a few months.
CREATE TABLE user_words (
    person_id uuid NOT NULL,
    word text NOT NULL COLLATE "C",
    month date NOT NULL,
    role text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL
);

-- The rows that `user_words` must have.
CREATE VIEW words_of_users AS
SELECT u.id AS person_id, words.word, date_trunc('month', u.created_at AT TIME ZONE 'UTC')::date AS month, u.role, u.status, u.created_at
FROM users u, search_words(u.username, u.email, u.phone, u.full_name) AS words (word);

INSERT INTO user_words SELECT * FROM words_of_users;
ALTER TABLE user_words ADD CONSTRAINT user_words_pkey PRIMARY KEY (person_id, word);
CREATE INDEX user_words_by_month ON user_words (month, role, word, created_at, person_id, status);

-- The statements above take minutes for a million users. From here on nobody else changes users; those created or changed meanwhile
-- are computed again.
LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM user_words WHERE person_id IN (SELECT id FROM users WHERE updated_at > now() - interval '1 hour');
INSERT INTO user_words SELECT * FROM words_of_users
WHERE person_id IN (SELECT id FROM users WHERE updated_at > now() - interval '1 hour');
ALTER TABLE user_words ADD CONSTRAINT user_words_person_id_fkey FOREIGN KEY (person_id) REFERENCES users (id);
ANALYZE user_words;

-- Maintains the words, whoever changes a user, functions of the release before included (which search by the indexes of V2). It runs as
-- the owner: the functions' login cannot write words. After an erasure only the words of the new name are left.
CREATE FUNCTION keep_user_words() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM public.user_words WHERE person_id = NEW.id;
    END IF;
    INSERT INTO public.user_words SELECT * FROM public.words_of_users WHERE person_id = NEW.id;
    RETURN NULL;
END
$$;
-- A trigger on a table of one's own would call it too.
REVOKE ALL ON FUNCTION keep_user_words() FROM PUBLIC;
CREATE TRIGGER users_keep_new_words AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION keep_user_words();
CREATE TRIGGER users_keep_words AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.phone, OLD.full_name, OLD.status)
        IS DISTINCT FROM (NEW.username, NEW.email, NEW.phone, NEW.full_name, NEW.status))
    EXECUTE FUNCTION keep_user_words();

GRANT SELECT ON user_words TO microloans_app;
