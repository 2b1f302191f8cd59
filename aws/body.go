package aws

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// plainBody hides the WriteTo of a request's body. The SDK closes a body as
// soon as an answer begins, and WriteTo on a closed one is an error to
// net/http, which then drops the connection with the rest of the answer. A
// server on the same machine (moto, a rehearsal) answers fast enough for that.
type plainBody struct{ io.ReadSeeker }

// sendPlainBodies puts a plainBody around the body of every request.
func sendPlainBodies(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("rolecallPlainBody",
		func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return next.HandleBuild(ctx, in)
			}
			if body, ok := request.GetStream().(io.ReadSeeker); ok {
				plain, err := request.SetStream(plainBody{body})
				if err != nil {
					return middleware.BuildOutput{}, middleware.Metadata{}, err
				}
				in.Request = plain
			}
			return next.HandleBuild(ctx, in)
		}), middleware.After)
}
