package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/aws"
	"rolecall/steps/record"
)

// FuzzReceipt reads a receipt from any bytes: it is of its session and of an
// account, or a refusal that names the file.
func FuzzReceipt(f *testing.F) {
	f.Add([]byte(`{"session":"260101-0000","account_id":"111122223333","items":[{"kind":"role","state":"made","name":"Spot-Role"}]}`))
	f.Add([]byte("{\"session\":\"260101-0000\",\"account_id\":\"111122223333\",\"items\":[{\"state\":\"\\u001b[2J\"}]}"))
	f.Add([]byte(`{"session":"260101-0000","session":"260101-0001"}`))
	f.Add([]byte(`{"checksum":"sha256:00"}`))
	folder := f.TempDir()
	path := filepath.Join(folder, "receipts", "260101-0000.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.Fatal(err)
	}
	store := record.OpenStore(folder)
	f.Fuzz(func(t *testing.T, text []byte) {
		write(t, path, text)
		r, err := store.Receipt("260101-0000")
		if err != nil {
			if p := problem(t, err); strings.ContainsAny(p.What+p.Next, "\x1b\x07\x00") || !record.IsUnreadable(err) {
				t.Errorf("%q", p.What)
			}
			return
		}
		if r.Session != "260101-0000" || aws.CheckAccountID(r.AccountID) != nil {
			t.Errorf("%+v", r)
		}
	})
}
