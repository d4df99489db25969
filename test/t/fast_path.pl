#!/usr/bin/env perl
# The fast-path protocol calls a function without an expression around it, so
# the function is not told the types of its arguments. Nobody gets round a
# check by it, and nothing internal breaks.
use strict;
use warnings;

use IO::Socket::UNIX;
use Test::More;

my $db = 't_fast_path';

sub psql
{
	my ($database, $sql) = @_;

	$ENV{PGOPTIONS} = '-c client_min_messages=warning';
	open(my $out, '-|', 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-c', $sql) or die;
	my $said = join '', <$out>;
	close $out or die "psql failed: $sql";
	chomp $said;
	return $said;
}

# A connection as a role, spoken to in the protocol's own words.
sub session
{
	my ($role) = @_;
	my $socket = IO::Socket::UNIX->new("$ENV{PGHOST}/.s.PGSQL.$ENV{PGPORT}") or die "no connection: $!";
	my $body = pack('N', 196608) . "user\0$role\0database\0$db\0\0";

	print $socket pack('N', length($body) + 4), $body;
	$socket->flush;
	answer($socket);
	return $socket;
}

# Reads up to ReadyForQuery; an error's SQLSTATE, else "ok".
sub answer
{
	my ($socket) = @_;
	my $result = 'ok';

	while (1)
	{
		my ($head, $body) = ('', '');
		read($socket, $head, 5) == 5 or return 'connection lost';
		my ($type, $length) = unpack('aN', $head);
		$length == 4 or read($socket, $body, $length - 4);
		$result = $1 if $type eq 'E' && $body =~ /\0C(.{5})\0/;
		return $result if $type eq 'Z';
	}
}

# A fast-path call with arguments in text.
sub call
{
	my ($socket, $function, @arguments) = @_;
	my $oid = psql($db, "SELECT '$function'::regprocedure::oid");
	my $body = pack('Nnnn', $oid, 1, 0, scalar @arguments);

	$body .= defined $_ ? pack('N', length) . $_ : pack('N', 0xFFFFFFFF) for @arguments;
	$body .= pack('n', 0);
	print $socket 'F', pack('N', length($body) + 4), $body;
	$socket->flush;
	return answer($socket);
}

sub query
{
	my ($socket, $sql) = @_;

	print $socket 'Q', pack('N', length($sql) + 5), $sql, "\0";
	$socket->flush;
	return answer($socket);
}

psql('postgres', "DROP DATABASE IF EXISTS $db");
psql('postgres', "CREATE DATABASE $db");
psql($db, <<'SQL');
CREATE EXTENSION ordcancel;
CREATE ROLE fast_stranger LOGIN;
CREATE TABLE orders (id integer PRIMARY KEY, status text);
CREATE TABLE pairs (a integer, b text, status text, PRIMARY KEY (a, b));
INSERT INTO orders VALUES (1, 'placed'), (2, 'placed');
INSERT INTO pairs VALUES (1, 'x', 'placed');
SELECT ordcancel.attach(t, 'status'), ordcancel.set_policy(t, canceled_status => 'canceled'),
	ordcancel.set_rule(t, 'placed', customer => 'cancel', merchant => 'cancel')
FROM unnest('{orders,pairs}'::regclass[]) AS t;
CREATE SCHEMA stranger AUTHORIZATION fast_stranger;
SET ROLE fast_stranger;
CREATE TABLE stranger.child (order_id integer);
RESET ROLE;
GRANT EXECUTE ON FUNCTION ordcancel.attach_child, ordcancel.set_rule, ordcancel.detach,
	ordcancel.request_cancel(regclass, text, text, text, text, text, jsonb) TO fast_stranger;
SQL

my $cancel = '(regclass,text,text,text,text,text,jsonb,numeric)';
my $request = '(regclass,text,text,text,text,text,jsonb)';
my $stranger = session('fast_stranger');
is(call($stranger, 'ordcancel.attach_child(regclass,regclass,name[],text[],text,text,text)', 'stranger.child', 'orders',
	'{order_id}', '{canceled}', undef, undef, 'default'), '42501',
	'a stranger does not attach a child to somebody else\'s orders');
is(call($stranger, 'ordcancel.detach(regclass)', 'orders'), '42501', 'nor detach them');
is(call($stranger, 'ordcancel.set_rule(regclass,text,text,text,text,boolean,text,text,text[],interval,text)', 'orders',
	'placed', ('forbid') x 3, 'f', '', 'default', '{}', (undef) x 2), '42501', 'nor change their rules');
is(call($stranger, "ordcancel.request_cancel$request", 'orders', '1', (undef) x 5), '42501',
	'nor cancel what it may not see');
is(call($stranger, "ordcancel.cancel_order$cancel", 'orders', '1', (undef) x 6), '42501',
	'nor call what it may not execute');

my $session = session($ENV{PGUSER});
is(call($session, "ordcancel.cancel_order$cancel", 'orders', '1', (undef) x 6), 'ok', 'an order is canceled');
is(call($session, "ordcancel.cancel_order$cancel", 'pairs', '(1,x)', (undef) x 6), 'ok',
	'one with a key of two columns');
is(call($session, "ordcancel.cancel_order$cancel", 'orders', 'one', (undef) x 6), 'OC002', 'what is no key is refused');
is(call($session, "ordcancel.cancel_order$cancel", 'orders', (undef) x 7), 'OC002', 'nor is NULL');
is(call($session, "ordcancel.cancel_order$cancel", (undef) x 8), 'OC001', 'no table');
is(call($session, 'ordcancel.cancel_order(regclass,anynonarray,text,text,text,text,jsonb,numeric)', 'orders', '2',
	(undef) x 6),
	'0A000', 'PostgreSQL has no input for any type');
is(call($session, 'ordcancel.undo_cancel(regclass,text,text,text,boolean,bigint,jsonb)', 'orders', '1', (undef) x 5),
	'ok', 'and undone');
is(call($session, 'ordcancel.forget(regclass,text,text,text,boolean)', 'orders', '1', (undef) x 3), 'ok',
	'and forgotten');
is(call($stranger, 'ordcancel.forget(regclass,text,text,text,boolean)', 'orders', '1', (undef) x 3), '42501',
	'but not by a stranger');
is(call($session, 'ordcancel_internal.guard_update()'), '39P01', 'a trigger function is none to be called');
is(psql($db, "SELECT string_agg(id || ' ' || status, ', ' ORDER BY id) FROM orders"), '1 placed, 2 placed',
	'the orders are as they should be');
is(psql($db, 'SELECT count(*) FROM ordcancel.child'), '0', 'nothing was configured');

# Each message is a call, also in one transaction: nothing multiplies them.
psql($db, "SELECT ordcancel.attach('orders', 'status', refund_due => '10');
	SELECT ordcancel.cancel_order('orders', 2)");
my @refund = ('ordcancel.record_refund(regclass,text,numeric,text,text,text,bigint,jsonb)', 'orders', '2', '3', 'cash',
	(undef) x 4);
is(join(' ', map { call($session, @refund) } 1 .. 2), 'ok ok', 'a refund, and another one');
query($session, 'BEGIN');
call($session, @refund);
is(call($session, @refund), 'OC010', 'three are possible');
query($session, 'ROLLBACK');
is(psql($db, "SELECT refunded FROM orders_cancellation WHERE state = 'in_progress'"), '6', 'two were made');

close $_ for $stranger, $session;
psql('postgres', "DROP DATABASE $db WITH (FORCE)");
psql('postgres', 'DROP ROLE fast_stranger');
done_testing();
