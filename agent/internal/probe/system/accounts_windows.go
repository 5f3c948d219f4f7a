package system

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"vigia/internal/inventory"
)

// userInfo1 is USER_INFO_1 of lmaccess.h.
type userInfo1 struct {
	Name, Password *uint16
	PasswordAge    uint32
	Privilege      uint32
	HomeDir        *uint16
	Comment        *uint16
	Flags          uint32
	ScriptPath     *uint16
}

const (
	privilegeAdmin   = 2
	accountDisabled  = 2
	normalAccounts   = 2
	maxAccountsBytes = 1 << 20
)

// localAccounts lists accounts of this machine that can sign in. A domain controller
// has none of its own, and listing the domain's takes minutes there: the caller does
// not ask on one.
func localAccounts() ([]inventory.Account, error) {
	dll := windows.NewLazySystemDLL("netapi32.dll")
	enum, free := dll.NewProc("NetUserEnum"), dll.NewProc("NetApiBufferFree")
	if err := enum.Find(); err != nil {
		return nil, err
	}
	var buf unsafe.Pointer
	var read, total, resume uint32
	ask := func(level uintptr) uintptr {
		code, _, _ := enum.Call(0, level, normalAccounts, uintptr(unsafe.Pointer(&buf)), maxAccountsBytes,
			uintptr(unsafe.Pointer(&read)), uintptr(unsafe.Pointer(&total)), uintptr(unsafe.Pointer(&resume)))
		return code
	}
	code := ask(1)
	if code == uintptr(windows.ERROR_INVALID_LEVEL) { // Wine: names alone
		if code = ask(0); code != 0 {
			return nil, fmt.Errorf("NetUserEnum: error %d", code)
		}
		defer free.Call(uintptr(buf))
		var list []inventory.Account
		for _, name := range unsafe.Slice((**uint16)(buf), read) {
			list = append(list, inventory.Account{Name: windows.UTF16PtrToString(name)})
		}
		return list, nil
	}
	if code != 0 && code != uintptr(windows.ERROR_MORE_DATA) {
		return nil, fmt.Errorf("NetUserEnum: error %d", code)
	}
	defer free.Call(uintptr(buf))
	var list []inventory.Account
	for _, u := range unsafe.Slice((*userInfo1)(buf), read) {
		if u.Flags&accountDisabled == 0 && u.Name != nil {
			list = append(list, inventory.Account{Name: windows.UTF16PtrToString(u.Name), Admin: u.Privilege == privilegeAdmin})
		}
	}
	return list, nil
}
