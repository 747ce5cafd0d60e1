-- What V54 requires of users, seen to of those that are there: writers go on meanwhile.
ALTER TABLE users VALIDATE CONSTRAINT users_erased;
