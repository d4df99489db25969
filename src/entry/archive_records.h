/*
 * archive_records.h — moves old records to archives, and drops archives
 */
#ifndef ORDCANCEL_ARCHIVE_RECORDS_H
#define ORDCANCEL_ARCHIVE_RECORDS_H

/* For the event trigger: is this the archive that drop_archive() drops? */
extern bool archive_drop_is_ours(Oid relid);

#endif /* ORDCANCEL_ARCHIVE_RECORDS_H */
