-- The ledger's changes of state.

update schema_info set version = 12;
