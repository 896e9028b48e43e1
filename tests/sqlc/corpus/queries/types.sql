-- name: ReadMoreScalars :many
SELECT * FROM more_scalars ORDER BY id;

-- name: ReadMoreArrays :many
SELECT * FROM more_arrays ORDER BY id;

-- name: SetChar :one
UPDATE more_scalars SET c_char = @v WHERE id = 1 RETURNING c_char;

-- name: EchoChar :one
SELECT @v::"char" AS v, coalesce(c_char, @v::"char") AS w FROM more_scalars WHERE id = 2;

-- name: SetTid :one
UPDATE more_scalars SET c_tid = @v WHERE id = 1 RETURNING c_tid;

-- name: EchoTid :one
SELECT @v::tid AS v, coalesce(c_tid, @v::tid) AS w FROM more_scalars WHERE id = 2;

-- name: SetXml :one
UPDATE more_scalars SET c_xml = @v WHERE id = 1 RETURNING c_xml;

-- name: EchoXml :one
SELECT @v::xml AS v, coalesce(c_xml, @v::xml) AS w FROM more_scalars WHERE id = 2;

-- name: SetPoint :one
UPDATE more_scalars SET c_point = @v WHERE id = 1 RETURNING c_point;

-- name: EchoPoint :one
SELECT @v::point AS v, coalesce(c_point, @v::point) AS w FROM more_scalars WHERE id = 2;

-- name: SetLseg :one
UPDATE more_scalars SET c_lseg = @v WHERE id = 1 RETURNING c_lseg;

-- name: EchoLseg :one
SELECT @v::lseg AS v, coalesce(c_lseg, @v::lseg) AS w FROM more_scalars WHERE id = 2;

-- name: SetPath :one
UPDATE more_scalars SET c_path = @v WHERE id = 1 RETURNING c_path;

-- name: EchoPath :one
SELECT @v::path AS v, coalesce(c_path, @v::path) AS w FROM more_scalars WHERE id = 2;

-- name: SetBox :one
UPDATE more_scalars SET c_box = @v WHERE id = 1 RETURNING c_box;

-- name: EchoBox :one
SELECT @v::box AS v, coalesce(c_box, @v::box) AS w FROM more_scalars WHERE id = 2;

-- name: SetPolygon :one
UPDATE more_scalars SET c_polygon = @v WHERE id = 1 RETURNING c_polygon;

-- name: EchoPolygon :one
SELECT @v::polygon AS v, coalesce(c_polygon, @v::polygon) AS w FROM more_scalars WHERE id = 2;

-- name: SetLine :one
UPDATE more_scalars SET c_line = @v WHERE id = 1 RETURNING c_line;

-- name: EchoLine :one
SELECT @v::line AS v, coalesce(c_line, @v::line) AS w FROM more_scalars WHERE id = 2;

-- name: SetCidr :one
UPDATE more_scalars SET c_cidr = @v WHERE id = 1 RETURNING c_cidr;

-- name: EchoCidr :one
SELECT @v::cidr AS v, coalesce(c_cidr, @v::cidr) AS w FROM more_scalars WHERE id = 2;

-- name: SetCircle :one
UPDATE more_scalars SET c_circle = @v WHERE id = 1 RETURNING c_circle;

-- name: EchoCircle :one
SELECT @v::circle AS v, coalesce(c_circle, @v::circle) AS w FROM more_scalars WHERE id = 2;

-- name: SetMacaddr8 :one
UPDATE more_scalars SET c_macaddr8 = @v WHERE id = 1 RETURNING c_macaddr8;

-- name: EchoMacaddr8 :one
SELECT @v::macaddr8 AS v, coalesce(c_macaddr8, @v::macaddr8) AS w FROM more_scalars WHERE id = 2;

-- name: SetMoney :one
UPDATE more_scalars SET c_money = @v WHERE id = 1 RETURNING c_money;

-- name: EchoMoney :one
SELECT @v::money AS v, coalesce(c_money, @v::money) AS w FROM more_scalars WHERE id = 2;

-- name: SetMacaddr :one
UPDATE more_scalars SET c_macaddr = @v WHERE id = 1 RETURNING c_macaddr;

-- name: EchoMacaddr :one
SELECT @v::macaddr AS v, coalesce(c_macaddr, @v::macaddr) AS w FROM more_scalars WHERE id = 2;

-- name: SetInet :one
UPDATE more_scalars SET c_inet = @v WHERE id = 1 RETURNING c_inet;

-- name: EchoInet :one
SELECT @v::inet AS v, coalesce(c_inet, @v::inet) AS w FROM more_scalars WHERE id = 2;

-- name: SetTimetz :one
UPDATE more_scalars SET c_timetz = @v WHERE id = 1 RETURNING c_timetz;

-- name: EchoTimetz :one
SELECT @v::timetz AS v, coalesce(c_timetz, @v::timetz) AS w FROM more_scalars WHERE id = 2;

-- name: SetBit :one
UPDATE more_scalars SET c_bit = @v WHERE id = 1 RETURNING c_bit;

-- name: EchoBit :one
SELECT @v::bit(4) AS v, coalesce(c_bit, @v::bit(4)) AS w FROM more_scalars WHERE id = 2;

-- name: SetVarbit :one
UPDATE more_scalars SET c_varbit = @v WHERE id = 1 RETURNING c_varbit;

-- name: EchoVarbit :one
SELECT @v::varbit AS v, coalesce(c_varbit, @v::varbit) AS w FROM more_scalars WHERE id = 2;

-- name: SetLsn :one
UPDATE more_scalars SET c_lsn = @v WHERE id = 1 RETURNING c_lsn;

-- name: EchoLsn :one
SELECT @v::pg_lsn AS v, coalesce(c_lsn, @v::pg_lsn) AS w FROM more_scalars WHERE id = 2;

-- name: SetTsvector :one
UPDATE more_scalars SET c_tsvector = @v WHERE id = 1 RETURNING c_tsvector;

-- name: EchoTsvector :one
SELECT @v::tsvector AS v, coalesce(c_tsvector, @v::tsvector) AS w FROM more_scalars WHERE id = 2;

-- name: SetTsquery :one
UPDATE more_scalars SET c_tsquery = @v WHERE id = 1 RETURNING c_tsquery;

-- name: EchoTsquery :one
SELECT @v::tsquery AS v, coalesce(c_tsquery, @v::tsquery) AS w FROM more_scalars WHERE id = 2;

-- name: SetJsonpath :one
UPDATE more_scalars SET c_jsonpath = @v WHERE id = 1 RETURNING c_jsonpath;

-- name: EchoJsonpath :one
SELECT @v::jsonpath AS v, coalesce(c_jsonpath, @v::jsonpath) AS w FROM more_scalars WHERE id = 2;

-- name: SetXid8 :one
UPDATE more_scalars SET c_xid8 = @v WHERE id = 1 RETURNING c_xid8;

-- name: EchoXid8 :one
SELECT @v::xid8 AS v, coalesce(c_xid8, @v::xid8) AS w FROM more_scalars WHERE id = 2;

-- name: SetI4r :one
UPDATE more_scalars SET c_i4r = @v WHERE id = 1 RETURNING c_i4r;

-- name: EchoI4r :one
SELECT @v::int4range AS v, coalesce(c_i4r, @v::int4range) AS w FROM more_scalars WHERE id = 2;

-- name: SetI8r :one
UPDATE more_scalars SET c_i8r = @v WHERE id = 1 RETURNING c_i8r;

-- name: EchoI8r :one
SELECT @v::int8range AS v, coalesce(c_i8r, @v::int8range) AS w FROM more_scalars WHERE id = 2;

-- name: SetNumr :one
UPDATE more_scalars SET c_numr = @v WHERE id = 1 RETURNING c_numr;

-- name: EchoNumr :one
SELECT @v::numrange AS v, coalesce(c_numr, @v::numrange) AS w FROM more_scalars WHERE id = 2;

-- name: SetDater :one
UPDATE more_scalars SET c_dater = @v WHERE id = 1 RETURNING c_dater;

-- name: EchoDater :one
SELECT @v::daterange AS v, coalesce(c_dater, @v::daterange) AS w FROM more_scalars WHERE id = 2;

-- name: SetTsr :one
UPDATE more_scalars SET c_tsr = @v WHERE id = 1 RETURNING c_tsr;

-- name: EchoTsr :one
SELECT @v::tsrange AS v, coalesce(c_tsr, @v::tsrange) AS w FROM more_scalars WHERE id = 2;

-- name: SetTstzr :one
UPDATE more_scalars SET c_tstzr = @v WHERE id = 1 RETURNING c_tstzr;

-- name: EchoTstzr :one
SELECT @v::tstzrange AS v, coalesce(c_tstzr, @v::tstzrange) AS w FROM more_scalars WHERE id = 2;

-- name: SetI4m :one
UPDATE more_scalars SET c_i4m = @v WHERE id = 1 RETURNING c_i4m;

-- name: EchoI4m :one
SELECT @v::int4multirange AS v, coalesce(c_i4m, @v::int4multirange) AS w FROM more_scalars WHERE id = 2;

-- name: SetI8m :one
UPDATE more_scalars SET c_i8m = @v WHERE id = 1 RETURNING c_i8m;

-- name: EchoI8m :one
SELECT @v::int8multirange AS v, coalesce(c_i8m, @v::int8multirange) AS w FROM more_scalars WHERE id = 2;

-- name: SetNumm :one
UPDATE more_scalars SET c_numm = @v WHERE id = 1 RETURNING c_numm;

-- name: EchoNumm :one
SELECT @v::nummultirange AS v, coalesce(c_numm, @v::nummultirange) AS w FROM more_scalars WHERE id = 2;

-- name: SetDatem :one
UPDATE more_scalars SET c_datem = @v WHERE id = 1 RETURNING c_datem;

-- name: EchoDatem :one
SELECT @v::datemultirange AS v, coalesce(c_datem, @v::datemultirange) AS w FROM more_scalars WHERE id = 2;

-- name: SetTsm :one
UPDATE more_scalars SET c_tsm = @v WHERE id = 1 RETURNING c_tsm;

-- name: EchoTsm :one
SELECT @v::tsmultirange AS v, coalesce(c_tsm, @v::tsmultirange) AS w FROM more_scalars WHERE id = 2;

-- name: SetTstzm :one
UPDATE more_scalars SET c_tstzm = @v WHERE id = 1 RETURNING c_tstzm;

-- name: EchoTstzm :one
SELECT @v::tstzmultirange AS v, coalesce(c_tstzm, @v::tstzmultirange) AS w FROM more_scalars WHERE id = 2;

-- name: SetHstore :one
UPDATE more_scalars SET c_hstore = @v WHERE id = 1 RETURNING c_hstore;

-- name: EchoHstore :one
SELECT @v::hstore AS v, coalesce(c_hstore, @v::hstore) AS w FROM more_scalars WHERE id = 2;

-- name: SetLtree :one
UPDATE more_scalars SET c_ltree = @v WHERE id = 1 RETURNING c_ltree;

-- name: EchoLtree :one
SELECT @v::ltree AS v, coalesce(c_ltree, @v::ltree) AS w FROM more_scalars WHERE id = 2;

-- name: SetCitext :one
UPDATE more_scalars SET c_citext = @v WHERE id = 1 RETURNING c_citext;

-- name: EchoCitext :one
SELECT @v::citext AS v, coalesce(c_citext, @v::citext) AS w FROM more_scalars WHERE id = 2;

-- name: SetSparse :one
UPDATE more_scalars SET c_sparse = @v WHERE id = 1 RETURNING c_sparse;

-- name: EchoSparse :one
SELECT @v::sparsevec(3) AS v, coalesce(c_sparse, @v::sparsevec(3)) AS w FROM more_scalars WHERE id = 2;

-- name: SetByteas :one
UPDATE more_arrays SET a_bytea = @v WHERE id = 1 RETURNING id, a_bytea;

-- name: SetChars :one
UPDATE more_arrays SET a_char = @v WHERE id = 1 RETURNING id, a_char;

-- name: SetTids :one
UPDATE more_arrays SET a_tid = @v WHERE id = 1 RETURNING id, a_tid;

-- name: SetXmls :one
UPDATE more_arrays SET a_xml = @v WHERE id = 1 RETURNING id, a_xml;

-- name: SetPoints :one
UPDATE more_arrays SET a_point = @v WHERE id = 1 RETURNING id, a_point;

-- name: SetLsegs :one
UPDATE more_arrays SET a_lseg = @v WHERE id = 1 RETURNING id, a_lseg;

-- name: SetPaths :one
UPDATE more_arrays SET a_path = @v WHERE id = 1 RETURNING id, a_path;

-- name: SetBoxs :one
UPDATE more_arrays SET a_box = @v WHERE id = 1 RETURNING id, a_box;

-- name: SetPolygons :one
UPDATE more_arrays SET a_polygon = @v WHERE id = 1 RETURNING id, a_polygon;

-- name: SetLines :one
UPDATE more_arrays SET a_line = @v WHERE id = 1 RETURNING id, a_line;

-- name: SetCidrs :one
UPDATE more_arrays SET a_cidr = @v WHERE id = 1 RETURNING id, a_cidr;

-- name: SetCircles :one
UPDATE more_arrays SET a_circle = @v WHERE id = 1 RETURNING id, a_circle;

-- name: SetMacaddr8s :one
UPDATE more_arrays SET a_macaddr8 = @v WHERE id = 1 RETURNING id, a_macaddr8;

-- name: SetMoneys :one
UPDATE more_arrays SET a_money = @v WHERE id = 1 RETURNING id, a_money;

-- name: SetMacaddrs :one
UPDATE more_arrays SET a_macaddr = @v WHERE id = 1 RETURNING id, a_macaddr;

-- name: SetInets :one
UPDATE more_arrays SET a_inet = @v WHERE id = 1 RETURNING id, a_inet;

-- name: SetTimetzs :one
UPDATE more_arrays SET a_timetz = @v WHERE id = 1 RETURNING id, a_timetz;

-- name: SetTimes :one
UPDATE more_arrays SET a_time = @v WHERE id = 1 RETURNING id, a_time;

-- name: SetDates :one
UPDATE more_arrays SET a_date = @v WHERE id = 1 RETURNING id, a_date;

-- name: SetTimestamps :one
UPDATE more_arrays SET a_timestamp = @v WHERE id = 1 RETURNING id, a_timestamp;

-- name: SetIntervals :one
UPDATE more_arrays SET a_interval = @v WHERE id = 1 RETURNING id, a_interval;

-- name: SetNumerics :one
UPDATE more_arrays SET a_numeric = @v WHERE id = 1 RETURNING id, a_numeric;

-- name: SetVarbits :one
UPDATE more_arrays SET a_varbit = @v WHERE id = 1 RETURNING id, a_varbit;

-- name: SetLsns :one
UPDATE more_arrays SET a_lsn = @v WHERE id = 1 RETURNING id, a_lsn;

-- name: SetTsvectors :one
UPDATE more_arrays SET a_tsvector = @v WHERE id = 1 RETURNING id, a_tsvector;

-- name: SetTsquerys :one
UPDATE more_arrays SET a_tsquery = @v WHERE id = 1 RETURNING id, a_tsquery;

-- name: SetJsons :one
UPDATE more_arrays SET a_json = @v WHERE id = 1 RETURNING id, a_json;

-- name: SetJsonbs :one
UPDATE more_arrays SET a_jsonb = @v WHERE id = 1 RETURNING id, a_jsonb;

-- name: SetXid8s :one
UPDATE more_arrays SET a_xid8 = @v WHERE id = 1 RETURNING id, a_xid8;

-- name: SetOids :one
UPDATE more_arrays SET a_oid = @v WHERE id = 1 RETURNING id, a_oid;

-- name: SetI4rs :one
UPDATE more_arrays SET a_i4r = @v WHERE id = 1 RETURNING id, a_i4r;

-- name: SetI8rs :one
UPDATE more_arrays SET a_i8r = @v WHERE id = 1 RETURNING id, a_i8r;

-- name: SetNumrs :one
UPDATE more_arrays SET a_numr = @v WHERE id = 1 RETURNING id, a_numr;

-- name: SetDaters :one
UPDATE more_arrays SET a_dater = @v WHERE id = 1 RETURNING id, a_dater;

-- name: SetTsrs :one
UPDATE more_arrays SET a_tsr = @v WHERE id = 1 RETURNING id, a_tsr;

-- name: SetTstzrs :one
UPDATE more_arrays SET a_tstzr = @v WHERE id = 1 RETURNING id, a_tstzr;

-- name: SetKinds :one
UPDATE more_arrays SET a_kind = @v WHERE id = 1 RETURNING id, a_kind;

-- name: SetCitexts :one
UPDATE more_arrays SET a_citext = @v WHERE id = 1 RETURNING id, a_citext;

-- name: SetVectors :one
UPDATE more_arrays SET a_vector = @v WHERE id = 1 RETURNING id, a_vector;

-- name: SetTitles :one
UPDATE more_arrays SET a_title = @v WHERE id = 1 RETURNING id, a_title;

-- name: SetStarss :one
UPDATE more_arrays SET a_stars = @v WHERE id = 1 RETURNING id, a_stars;
