package wmi

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/go-ole/go-ole"
	"github.com/yusufpapurcu/wmi"
)

// Limit is how long one question may take.
const Limit = 10 * time.Second

// Live asks the running system. Make one and keep it: it remembers which namespaces do
// not answer.
type Live struct {
	mu    sync.Mutex
	stuck map[string]bool
}

// NewLive returns a Live.
func NewLive() *Live { return &Live{stuck: map[string]bool{}} }

// What WMI answers where there is nothing to ask (wbemcli.h).
const (
	notFound         = 0x80041002
	invalidNamespace = 0x8004100e
	invalidClass     = 0x80041010
	invalidQuery     = 0x80041017 // among others: a property that this Windows does not have
)

// Query asks in a thread of its own. A question that does not come back in time costs
// that thread, and its namespace is not asked again until it does.
func (l *Live) Query(ctx context.Context, namespace, query string, rows any) error {
	l.mu.Lock()
	busy := l.stuck[namespace]
	l.stuck[namespace] = true
	l.mu.Unlock()
	if busy {
		return fmt.Errorf("WMI %s: an earlier question has not come back", namespace)
	}
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	answer := reflect.New(reflect.TypeOf(rows).Elem()) // the caller's must not change once it went on
	done := make(chan error, 1)
	go func() {
		err := ask(namespace, query, answer.Interface())
		l.mu.Lock()
		delete(l.stuck, namespace)
		l.mu.Unlock()
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("WMI %s: %q: %w (%#x)", namespace, query, err, errorCode(err))
		}
		reflect.ValueOf(rows).Elem().Set(answer.Elem())
		return nil
	case <-ctx.Done():
		return fmt.Errorf("WMI %s: no answer to %q: %w", namespace, query, context.Cause(ctx))
	}
}

// ask uses a connection of its own: the library's shared one holds a lock while it
// waits. That connection works in a goroutine of the library, where nothing catches its
// panic on an odd array: questions for arrays take the shared one.
func ask(namespace, query string, rows any) (err error) {
	if hasArrays(rows) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("an answer that makes no sense: %v", v)
			}
		}()
		return known(client().Query(query, rows, ".", namespace))
	}
	s, err := wmi.InitializeSWbemServices(client())
	if err != nil {
		return err
	}
	err = s.Query(query, rows, ".", namespace)
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	return known(err)
}

func client() *wmi.Client { return &wmi.Client{NonePtrZero: true, AllowMissingFields: true} }

// hasArrays reports whether rows, a pointer to a slice of structs, asks for an array.
func hasArrays(rows any) bool {
	row := reflect.TypeOf(rows).Elem().Elem()
	for i := range row.NumField() {
		if row.Field(i).Type.Kind() == reflect.Slice {
			return true
		}
	}
	return false
}

// known turns "nothing to ask" into ErrAbsent.
func known(err error) error {
	if code := errorCode(err); code == notFound || code == invalidNamespace || code == invalidClass || code == invalidQuery {
		return fmt.Errorf("%w (%#x)", ErrAbsent, code)
	}
	return err
}

// errorCode finds what WMI said inside what COM said.
func errorCode(err error) uint32 {
	var e *ole.OleError
	if !errors.As(err, &e) {
		return 0
	}
	if info, ok := e.SubError().(ole.EXCEPINFO); ok && info.SCODE() != 0 {
		return info.SCODE()
	}
	return uint32(e.Code())
}
