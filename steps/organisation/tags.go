package organisation

import (
	"context"
	"strings"
	"sync"

	"rolecall/aws/organisation"
	"rolecall/steps/screen"
)

// Tag is a tag of an account that selects it.
type Tag struct{ Key, Value string }

// String is as the flag takes it.
func (t Tag) String() string { return t.Key + "=" + t.Value }

// ParseTag reads k=v.
func ParseTag(text string) (Tag, error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return Tag{}, &screen.Fault{Problem: screen.Problem{What: "--account-tag is " + screen.CleanLine(text) + ".",
			Expected: "a tag as key=value", Next: "Correct --account-tag: --account-tag team=web.", Kind: screen.Usage}}
	}
	return Tag{key, value}, nil
}

// tagReaders is how many accounts' tags are asked for at the same time.
const tagReaders = 4

// WithTags leaves those of the accounts that have all of the tags. Organizations
// tells the tags of one account in one request.
func WithTags(ctx context.Context, c Clock, cloud *organisation.Client, chosen []Chosen, tags []Tag) ([]Chosen, error) {
	if len(tags) == 0 {
		return chosen, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	has, work := make([]bool, len(chosen)), make(chan int)
	var readers sync.WaitGroup
	var once sync.Once
	var failed error
	for range tagReaders {
		readers.Go(func() {
			for i := range work {
				ok, err := hasTags(ctx, c, cloud, chosen[i].ID, tags)
				if err != nil {
					once.Do(func() { failed = err; cancel() })
				}
				has[i] = ok
			}
		})
	}
	for i := range chosen {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	readers.Wait()
	if failed != nil {
		return nil, failed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var left []Chosen
	for i, one := range chosen {
		if has[i] {
			left = append(left, one)
		}
	}
	return left, nil
}

func hasTags(ctx context.Context, c Clock, cloud *organisation.Client, account string, tags []Tag) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var found map[string]string
	err := c.patiently(ctx, func() (err error) {
		found, err = cloud.Tags(ctx, account)
		return err
	})
	if err != nil {
		return false, err
	}
	for _, tag := range tags {
		if value, ok := found[tag.Key]; !ok || value != tag.Value {
			return false, nil
		}
	}
	return true, nil
}
