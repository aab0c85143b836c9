package write

import "os"

// Append adds data to the end of the file at path, which others may be adding
// to as well. It is made if it is missing; without data nothing happens.
func Append(path string, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return failed(path, err)
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return failed(path, err)
}
