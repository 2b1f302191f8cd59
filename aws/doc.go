// Package aws is one AWS account seen through the SDK: who is signed in, which
// policies and roles exist, whether they are right, and where the console
// shows them. Every method is one request, so that progress, back and cancel
// work. It stands between steps and policy.
package aws
