package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"vigia/collector/internal/apperr"
)

// col is one column of many rows: values is []int64, []string, []bool or [][]byte.
type col struct {
	name   string
	values any
}

// value returns the i-th value, and cast the type of the array on PostgreSQL.
func (c col) value(i int) any {
	switch v := c.values.(type) {
	case []int64:
		return v[i]
	case []string:
		return v[i]
	case []bool:
		return v[i]
	case [][]byte:
		return v[i]
	}
	return nil
}

func (c col) cast() string {
	switch c.values.(type) {
	case []int64:
		return "bigint[]"
	case []string:
		return "text[]"
	case []bool:
		return "boolean[]"
	}
	return "bytea[]"
}

func (c col) len() int {
	switch v := c.values.(type) {
	case []int64:
		return len(v)
	case []string:
		return len(v)
	case []bool:
		return len(v)
	case [][]byte:
		return len(v)
	}
	return 0
}

// bulkTx returns the transaction that ctx carries, for statements on many rows.
func (s *Store) bulkTx(ctx context.Context) (*sql.Tx, error) {
	if t := s.txFrom(ctx); t != nil {
		return t.tx, nil
	}
	return nil, apperr.New(apperr.Internal, "store.no-transaction", nil)
}

// bulkInsert inserts one row per value of cols: on PostgreSQL by one statement over
// arrays, on SQLite by one prepared statement run for each.
func (s *Store) bulkInsert(ctx context.Context, table, conflict string, cols ...col) error {
	names, marks, arrays := make([]string, len(cols)), make([]string, len(cols)), make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
		marks[i] = "?" + strconv.Itoa(i+1)
		arrays[i] = "$" + strconv.Itoa(i+1) + "::" + c.cast()
	}
	head := fmt.Sprintf("INSERT INTO %s (%s) ", table, strings.Join(names, ", "))
	return s.bulk(ctx, head+"VALUES ("+strings.Join(marks, ", ")+") "+conflict,
		head+"SELECT * FROM unnest("+strings.Join(arrays, ", ")+") "+conflict, cols...)
}

// bulkUpdate sets the columns after the first in the row whose key is the first. A
// column named "+x" is added to x.
func (s *Store) bulkUpdate(ctx context.Context, table string, cols ...col) error {
	lite, post, names, arrays := []string{}, []string{}, []string{}, []string{}
	for i, c := range cols {
		name := strings.TrimPrefix(c.name, "+")
		names = append(names, name)
		arrays = append(arrays, "$"+strconv.Itoa(i+1)+"::"+c.cast())
		if i == 0 {
			continue
		}
		mark := "?" + strconv.Itoa(i+1)
		if name != c.name {
			lite = append(lite, fmt.Sprintf("%s = %s + %s", name, name, mark))
			post = append(post, fmt.Sprintf("%s = t.%s + u.%s", name, name, name))
			continue
		}
		lite = append(lite, name+" = "+mark)
		post = append(post, name+" = u."+name)
	}
	return s.bulk(ctx, fmt.Sprintf("UPDATE %s SET %s WHERE %s = ?1", table, strings.Join(lite, ", "), names[0]),
		fmt.Sprintf("UPDATE %s AS t SET %s FROM unnest(%s) AS u (%s) WHERE t.%s = u.%s", table, strings.Join(post, ", "),
			strings.Join(arrays, ", "), strings.Join(names, ", "), names[0], names[0]), cols...)
}

func (s *Store) bulk(ctx context.Context, lite, post string, cols ...col) error {
	n := cols[0].len()
	if n == 0 {
		return nil
	}
	tx, err := s.bulkTx(ctx)
	if err != nil {
		return err
	}
	if s.Engine() == "postgres" {
		args := make([]any, len(cols))
		for i, c := range cols {
			args[i] = c.values
		}
		_, err := tx.ExecContext(ctx, post, args...)
		return err
	}
	stmt, err := tx.PrepareContext(ctx, lite)
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, len(cols))
	for i := range n {
		for k, c := range cols {
			args[k] = c.value(i)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// among returns a FROM item "j" with the column value, that gives each of list, and the
// argument for its $1. list is []int64 or a list of keys as [][]byte. Write
// "FROM "+from+" CROSS JOIN t WHERE t.x = j.value": SQLite then begins with the list,
// where it might otherwise read the whole of t in the order that is asked for.
func (s *Store) among(list any) (from string, arg any) {
	post := s.Engine() == "postgres"
	switch v := list.(type) {
	case []int64:
		if post {
			return "unnest($1::bigint[]) AS j (value)", v
		}
		return "json_each($1) AS j", jsonInts(v)
	case [][]byte:
		if post {
			return "unnest($1::bytea[]) AS j (value)", v
		}
		return "(SELECT unhex(value) AS value FROM json_each($1)) AS j", jsonHex(v)
	}
	return "", nil
}

func jsonInts(list []int64) string {
	b := make([]byte, 0, 8*len(list)+2)
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, v, 10)
	}
	return string(append(b, ']'))
}

func jsonHex(list [][]byte) string {
	b := make([]byte, 0, 36*len(list)+2)
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = hex.AppendEncode(b, v)
		b = append(b, '"')
	}
	return string(append(b, ']'))
}
