CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, words text[], mood mood);
CREATE TABLE guarded (id int PRIMARY KEY, name text NOT NULL);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
