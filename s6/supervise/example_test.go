package supervise_test

import (
	"fmt"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

func ExampleDecodeStatus() {
	raw, err := supervise.AppendStatus(nil, supervise.Status{PID: 4711, WantUp: true, Ready: true, WaitStatus: 9}, supervise.StatusSize)
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := supervise.DecodeStatus(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(status.Up(), status.Ready, status.PID, "died before by", status.WaitStatus)
	// Output: true true 4711 died before by signal 9 (killed)
}
