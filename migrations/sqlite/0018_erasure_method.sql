-- Through what an erasure was asked for: portal, api, operator. Until this was kept, only operators could, and what a program
-- of the release before this one adds comes from them, too. Null: it is known from outside of this database alone.
ALTER TABLE erasures ADD COLUMN method TEXT DEFAULT 'operator';
