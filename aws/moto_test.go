package aws_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"rolecall/aws"
)

// TestMain ends moto's server, which all tests of this package share: it takes
// longer to start than they take.
func TestMain(m *testing.M) {
	code := m.Run()
	motoServer.stop()
	os.Exit(code)
}

var motoServer moto

// moto is moto's server on a free port, started when it is first needed.
type moto struct {
	once     sync.Once
	cmd      *exec.Cmd
	endpoint string // empty: it is not installed
	err      error
}

// motoPlace is moto; every test begins with an empty account. Tests on it do
// not run at the same time.
func motoPlace(t *testing.T) place {
	t.Helper()
	motoServer.once.Do(motoServer.start)
	if motoServer.err != nil {
		t.Fatal(motoServer.err)
	}
	endpoint := motoServer.endpoint
	if endpoint == "" {
		return place{name: "moto"}
	}
	return place{name: "moto", open: func(t *testing.T) *aws.Account {
		r, err := http.Post(endpoint+"/moto-api/reset", "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		a, err := aws.Open(t.Context(), aws.Options{Rehearsal: &aws.RehearsalTarget{
			Endpoint: endpoint, AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret", Region: "us-east-1"}})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}}
}

func (m *moto) start() {
	path, err := exec.LookPath("moto_server")
	if err != nil {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		m.err = err
		return
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	m.endpoint = fmt.Sprintf("http://127.0.0.1:%d", port)
	m.cmd = exec.Command(path, "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	if m.err = m.cmd.Start(); m.err == nil {
		m.err = m.await()
	}
}

// await asks until the server answers.
func (m *moto) await() error {
	for range 600 {
		if r, err := http.Get(m.endpoint + "/moto-api/data.json"); err == nil {
			return r.Body.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("moto_server did not start")
}

func (m *moto) stop() {
	if m.cmd == nil || m.cmd.Process == nil {
		return
	}
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}
