// Gen writes nsenter/init/plan.h from the tables of internal/plan.
package main

import (
	"log"
	"os"

	"rt/internal/plan"
)

func main() {
	if err := os.WriteFile(os.Args[1], []byte(plan.Header()), 0o644); err != nil {
		log.Fatal(err)
	}
}
