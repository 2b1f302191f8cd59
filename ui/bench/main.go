// Command bench says in one place what rolecall costs: it builds the program
// and times it as its users run it, side by side with what they would use
// instead, and prints the table that stands in the manual:
//
//	go run ./ui/bench            # the table, in Markdown
//	go run ./ui/bench -curves D  # and the curves, as SVG in the folder D
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	runs := flag.Int("runs", 21, "how often each thing is timed; the median counts")
	curves := flag.String("curves", "", "a folder for the curves as SVG")
	flag.Parse()
	if err := measure(*runs, *curves); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(runs int, curves string) error {
	folder, err := os.MkdirTemp("", "rolecall-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	b := &bench{runs: runs, folder: folder}
	if err := b.build(); err != nil {
		return err
	}
	fmt.Printf("%s, %s/%s, %d CPUs, %s. Medians of %d runs, in brackets the processors' time; a dash is what is not installed.\n\n",
		time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), runs)
	fmt.Print("| what | rolecall | beside it | |\n| --- | ---: | ---: | --- |\n")
	// Memory is measured before this program holds an account itself: Linux counts
	// what the parent had at the fork as the child's too.
	for _, section := range []func() ([]row, error){b.starts, b.screens, b.sizes, b.policies, b.accounts} {
		rows, err := section()
		if err != nil {
			return err
		}
		for _, r := range rows {
			fmt.Printf("| %s | %s | %s | %s |\n", r.what, r.ours, r.theirs, r.beside)
		}
	}
	if curves == "" {
		return nil
	}
	return b.draw(curves)
}

// row is one line of the table.
type row struct{ what, ours, theirs, beside string }

// bench builds and times programs.
type bench struct {
	runs           int
	folder         string
	program, floor string
	bare           string // the least program with a list
	policy         string // Spot's, as a file
}

// build builds the program and its floor as a release is built.
func (b *bench) build() error {
	b.program, b.floor = filepath.Join(b.folder, "rolecall"), filepath.Join(b.folder, "floor")
	b.bare = filepath.Join(b.folder, "bare")
	for output, pkg := range map[string]string{b.program: ".", b.floor: "./ui/bench/floor", b.bare: "./ui/bench/bare"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", output, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	b.policy = filepath.Join(b.folder, "policy.json")
	text, err := b.output("policy", "show", "--vendor", "spot")
	if err != nil {
		return err
	}
	return os.WriteFile(b.policy, text, 0o600)
}

// command is the program with a state and a configuration of its own.
func (b *bench) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.program, args...)
	cmd.Env = b.environment()
	return cmd
}

func (b *bench) environment(more ...string) []string {
	return append([]string{"HOME=" + b.folder, "XDG_STATE_HOME=" + filepath.Join(b.folder, "state"), "PATH=" + os.Getenv("PATH"),
		"TERM=xterm-256color", "LANG=C.UTF-8"}, more...)
}

func (b *bench) output(args ...string) ([]byte, error) {
	cmd := b.command(args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("rolecall %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	return out, nil
}

// time is the median cost of the program with these arguments.
func (b *bench) time(args ...string) (cost, error) {
	return b.median(func() *exec.Cmd { return b.command(args...) })
}

// median times a command, one run to warm up left out. The exit code does not
// matter: a review may end with 3.
func (b *bench) median(command func() *exec.Cmd) (cost, error) {
	var all, worked []time.Duration
	for i := range b.runs + 1 {
		cmd := command()
		start := time.Now()
		err := cmd.Run()
		if took := time.Since(start); i > 0 {
			all = append(all, took)
			worked = append(worked, work(cmd))
		}
		if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // Run wraps nothing.
			return cost{}, fmt.Errorf("run %s: %w", cmd.Path, err)
		}
	}
	return cost{middle(all), middle(worked)}, nil
}

// other is the median time of a program that may not be there, as "—" then.
func (b *bench) other(name string, args ...string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return "—"
	}
	took, err := b.median(func() *exec.Cmd { return exec.Command(path, args...) })
	if err != nil {
		return "—"
	}
	return took.String()
}

// starts times the program and the floor in turn, so that what else the machine
// does is the same for both.
func (b *bench) starts() ([]row, error) {
	var ours, floor, oursOn, floorOn []time.Duration // the time of the wall, and of the processors
	for range 4 * b.runs {
		for _, one := range []struct {
			cmd    *exec.Cmd
			wall   *[]time.Duration
			worked *[]time.Duration
		}{{b.command("version"), &ours, &oursOn}, {exec.Command(b.floor), &floor, &floorOn}} {
			start := time.Now()
			if err := one.cmd.Run(); err != nil {
				return nil, fmt.Errorf("run %s: %w", one.cmd.Path, err)
			}
			*one.wall = append(*one.wall, time.Since(start))
			*one.worked = append(*one.worked, work(one.cmd))
		}
	}
	return []row{
		against("start (`version`)", middle(ours), middle(floor)),
		against("the processors' part of it", middle(oursOn), middle(floorOn)),
		{"", "", b.other("aws", "--version"), "`aws --version`"},
	}, nil
}

func against(what string, ours, floor time.Duration) row {
	times := float64(ours) / float64(floor)
	return row{what, millis(ours), millis(floor), fmt.Sprintf("a program that only links the same libraries; %.2f ×", times)}
}

func (b *bench) policies() ([]row, error) {
	small := filepath.Join(b.folder, "many")
	if err := b.thousand(small); err != nil {
		return nil, err
	}
	var rows []row
	for _, one := range []struct {
		what   string
		args   []string
		theirs string
		beside string
	}{
		{"`policy review` of Spot's policy", []string{"policy", "review", b.policy}, "", ""},
		{"`policy review` of 1,000 policies", []string{"policy", "review", small}, "", ""},
		{"`policy explain ec2:Describe*`", []string{"policy", "explain", "ec2:Describe*"}, b.other("iam-expand", "ec2:Describe*"),
			"`iam-expand` of @cloud-copilot"},
		{"`policy diff` of Spot's policy and a part of it", []string{"policy", "diff", b.policy, filepath.Join(small, "0001.json")}, "", ""},
		{"`policy show --minify`", []string{"policy", "show", "--vendor", "spot", "--minify"}, "", ""},
		{"`vendors list`", []string{"vendors", "list"}, "", ""},
	} {
		ours, err := b.time(one.args...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{one.what, ours.String(), one.theirs, one.beside})
	}
	return rows, nil
}

// thousand writes a thousand policies of two statements.
func (b *bench) thousand(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for i := range 1000 {
		text := fmt.Sprintf(
			`{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::bucket-%d","arn:aws:s3:::bucket-%d/*"]},
 {"Sid":"Run","Effect":"Allow","Action":["ec2:Describe*","iam:PassRole"],"Resource":"*"}]}`,
			i,
			i,
		)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%04d.json", i)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) sizes() ([]row, error) {
	info, err := os.Stat(b.program)
	if err != nil {
		return nil, err
	}
	floor, err := os.Stat(b.floor)
	if err != nil {
		return nil, err
	}
	cmd := b.command("rehearse", "--yes", "--method", "direct")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("rehearse: %w", err)
	}
	walked, err := b.walked()
	if err != nil {
		return nil, err
	}
	return []row{
		{"size of the binary", megabytes(info.Size()), megabytes(floor.Size()), "the program that only links"},
		{"most memory, rehearsal with its AWS inside", megabytes(peak(cmd)), "", ""},
		{"most memory, in full screen, after all screens", megabytes(walked), "", ""},
	}, nil
}
