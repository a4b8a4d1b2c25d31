-- Keys that programs and people call the API with. What is secret of a key is stored as a hash only, so a
-- copy of this table opens nothing.
--
-- A function's role needs select, and update of last_used_at; whoever makes and revokes keys needs insert
-- and update.

create table api_keys (
  key_id uuid primary key,
  -- The part of the token that is no secret; finds the row and names the key in lists.
  prefix text not null unique,
  name text not null,
  scopes text[] not null
    check (cardinality(scopes) > 0 and scopes <@ array['ingest', 'viewer', 'responder', 'admin']),
  -- `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`: cost and salt are the key's own.
  hash text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  -- Give or take a minute.
  last_used_at timestamptz,
  revoked_at timestamptz
);
