package aws

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// clockFormat shows a time of a clock, in UTC.
const clockFormat = "2006-01-02 15:04:05 UTC"

// clocks are two times of one moment: what this machine took it for, and what
// AWS did.
type clocks struct{ here, aws time.Time }

// skew is how far this machine is ahead; negative when it is behind.
func (c clocks) skew() time.Duration { return c.here.Sub(c.aws) }

// The sentences in which AWS tells a clock that is wrong. "Signature expired:
// HERE is now earlier than T (AWS - 15 min.)" and "Signature not yet current:
// HERE is still later than T (AWS + 5 min.)" are of IAM, STS and all services
// that sign alike (AWS General Reference, "Troubleshooting Signature Version
// 4"); S3 gives both times apart.
var (
	signatureTimes = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(
			`Signature (expired|not yet current): (\S+?) is (?:now earlier|still later) than (\S+)(?: \((\S+) [-+] (\d+) min\.?\))?`,
		)
	})
	statedTimes = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(
			`(?i)(?:request ?time|timestamp date is)[: ]+(\d[\d:TZ.-]+Z).*?(?:server ?time|current date is)[: ]+(\d[\d:TZ.-]+Z)`,
		)
	})
)

// The width of AWS's window, where the sentence leaves it out.
const (
	longestAge   = 15 * time.Minute
	longestAhead = 5 * time.Minute
)

// clocksIn reads the two times from AWS's sentence.
func clocksIn(said string) (clocks, bool) {
	if m := signatureTimes().FindStringSubmatch(said); m != nil {
		here, ok := parseClock(m[2])
		edge, edgeOK := parseClock(m[3])
		there, thereOK := parseClock(m[4])
		if !thereOK && edgeOK { // the edge of the window that the request fell out of
			there, thereOK = edge.Add(window(m[1], m[5])), true
		}
		return clocks{here, there}, ok && thereOK
	}
	if m := statedTimes().FindStringSubmatch(said); m != nil {
		here, ok := parseClock(m[1])
		there, thereOK := parseClock(m[2])
		return clocks{here, there}, ok && thereOK
	}
	return clocks{}, false
}

// window is from the edge that AWS names to its own time.
func window(direction, minutes string) time.Duration {
	width, expired := longestAge, direction == "expired"
	if !expired {
		width = longestAhead
	}
	if n, err := strconv.Atoi(minutes); err == nil {
		width = time.Duration(n) * time.Minute
	}
	if expired {
		return width
	}
	return -width
}

func parseClock(s string) (time.Time, bool) {
	for _, layout := range []string{"20060102T150405Z", time.RFC3339} {
		if t, err := time.Parse(layout, strings.Trim(s, `"'()`)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// aboutClock tells a refusal for the time of the request. A signature that is
// wrong otherwise has the same code and another sentence.
func aboutClock(code, said string) bool {
	switch code {
	case "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed":
		return true
	}
	return strings.Contains(said, "Signature expired") || strings.Contains(said, "Signature not yet current")
}

// explainClock fills e for a clock that is wrong, and says by how much where
// AWS's own words tell, or else the date of its answer.
func explainClock(e *Error, err error) {
	e.Kind = NotSignedIn
	e.Next = "Set the clock of this machine, best by the network's time (NTP), then try again."
	c, ok := clocksIn(e.AWS)
	if !ok {
		c, ok = clocksOf(err)
	}
	if !ok || c.skew().Abs() < time.Minute {
		e.What = "The clock of this machine is wrong, or the request took too long."
		e.Expected = "a request of the last minutes by AWS's clock"
		return
	}
	e.Skew = c.skew()
	direction := "ahead of"
	if e.Skew < 0 {
		direction = "behind"
	}
	e.What = fmt.Sprintf("The clock of this machine is %s %s AWS's.", minutes(e.Skew), direction)
	e.Expected = "AWS's time, " + c.aws.Format(clockFormat) + "; this machine said " + c.here.Format(clockFormat)
}

func minutes(d time.Duration) string {
	n := int(d.Abs().Round(time.Minute) / time.Minute)
	switch {
	case n == 1:
		return "1 minute"
	case n >= 2*24*60:
		return fmt.Sprintf("%d minutes (%d days)", n, n/(24*60))
	case n >= 2*60:
		return fmt.Sprintf("%d minutes (%d h %d min)", n, n/60, n%60)
	}
	return fmt.Sprintf("%d minutes", n)
}

// clocksOf compares the date of an answer with the time that its request was
// signed for.
func clocksOf(err error) (clocks, bool) {
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil || answer.Response.Response == nil {
		return clocks{}, false
	}
	there, dateErr := http.ParseTime(answer.Response.Header.Get("Date"))
	if dateErr != nil || answer.Response.Request == nil {
		return clocks{}, false
	}
	here, ok := parseClock(answer.Response.Request.Header.Get("X-Amz-Date"))
	return clocks{here, there.UTC()}, ok
}

// Skew is how far this machine's clock is ahead of AWS's, negative when it is
// behind, as AWS dated its last answer about the identity, to the second; known is
// false before there was one.
func (a *Account) Skew() (skew time.Duration, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.skew == nil {
		return 0, false
	}
	return *a.skew, true
}

func (a *Account) compareClocks(answer smithymiddleware.Metadata) {
	there, dated := middleware.GetServerTime(answer)
	here, timed := middleware.GetResponseAt(answer)
	if !dated || !timed {
		return
	}
	skew := clocks{here, there}.skew()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.skew = &skew
}
