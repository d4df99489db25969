-- What a superuser does before the migrations of a tool run, in a fresh database.
CREATE EXTENSION ordcancel;
CREATE SCHEMA audit;
