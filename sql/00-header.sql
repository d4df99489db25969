-- ordcancel: canceling orders safely inside the database

-- complain if the script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION ordcancel" to load this file. \quit
