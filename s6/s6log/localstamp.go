package s6log

import "time"

// localStampSize is the length of "YYYY-MM-DD HH:MM:SS.nnnnnnnnn".
const localStampSize = 29

// parseLocalStamp reads "YYYY-MM-DD HH:MM:SS.nnnnnnnnn", the form of s6-log's
// directive T. s6-log writes the local time of its own process, so loc should
// be the zone that s6-log runs in. In the hour that the end of daylight saving
// repeats, the text fits two instants, and either may be returned. The result
// is in UTC. ok means that the text is such a stamp.
func parseLocalStamp(stamp []byte, loc *time.Location) (at time.Time, ok bool) {
	const form = "0000-00-00 00:00:00.000000000"
	if len(stamp) != localStampSize {
		return time.Time{}, false
	}
	var field [7]int
	n := 0
	for i, c := range stamp {
		switch {
		case form[i] != '0':
			if c != form[i] {
				return time.Time{}, false
			}
			n++
		case c < '0' || c > '9':
			return time.Time{}, false
		default:
			field[n] = field[n]*10 + int(c-'0')
		}
	}
	year, month, day, hour, minute, second, nsec := field[0], field[1], field[2], field[3], field[4], field[5], field[6]
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Year() != year || int(date.Month()) != month || date.Day() != day {
		return time.Time{}, false // there is no such day
	}
	// A leap second is written as second 60.
	if hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nsec, loc).UTC(), true
}
