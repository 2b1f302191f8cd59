// Command rolecall connects an AWS account to a vendor.
package main

func main() {}
