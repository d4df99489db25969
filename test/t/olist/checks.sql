SELECT what, count(*) FROM replay.log GROUP BY 1;
