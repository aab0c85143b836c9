package knowledge

// ReadsMaps lists functions that look at a map, and keep none of it.
var ReadsMaps = set("maps.Clone", "maps.Equal", "fmt.Println", "fmt.Printf", "fmt.Print", "fmt.Sprint", "fmt.Sprintf", "log.Println", "log.Printf", "log.Print")

// MemoryReaders return a reader of no more than what their arguments hold.
var MemoryReaders = map[string]bool{
	"bufio.NewReader": true, "bufio.NewReaderSize": true, "io.LimitReader": true, "io.MultiReader": true, "io.NopCloser": true,
	"io.NewSectionReader": true, "bufio.NewReadWriter": true,
}

// Readers lists functions that read from an argument and neither close it nor
// keep it beyond the value they return, with the index of that argument.
var Readers = map[string]int{
	"io.ReadAll": 0, "io/ioutil.ReadAll": 0, "io.Copy": 1, "io.CopyN": 1, "io.CopyBuffer": 1,
	"io.ReadFull": 0, "io.ReadAtLeast": 0, "encoding/binary.Read": 0,
	"fmt.Fscan": 0, "fmt.Fscanf": 0, "fmt.Fscanln": 0,
	"(*bytes.Buffer).ReadFrom": 0, "(*bufio.Writer).ReadFrom": 0, "(*strings.Reader).WriteTo": 0,
	"image.Decode": 0, "image/png.Decode": 0, "image/jpeg.Decode": 0, "image/gif.Decode": 0,
}

// ReaderMakers return a reader or decoder on top of an argument; closing the
// result, where it can be closed, does not close the argument.
var ReaderMakers = map[string]int{
	"encoding/json.NewDecoder": 0, "encoding/xml.NewDecoder": 0, "encoding/gob.NewDecoder": 0,
	"encoding/csv.NewReader": 0, "encoding/base64.NewDecoder": 1, "encoding/hex.NewDecoder": 0,
	"bufio.NewReader": 0, "bufio.NewReaderSize": 0, "bufio.NewScanner": 0,
	"io.LimitReader": 0, "io.TeeReader": 0, "io.NopCloser": 0, "io/ioutil.NopCloser": 0,
	"compress/gzip.NewReader": 0, "compress/zlib.NewReader": 0, "compress/flate.NewReader": 0,
	"compress/bzip2.NewReader": 0, "archive/tar.NewReader": 0, "mime/multipart.NewReader": 0,
}

// Writers lists functions that write to an argument and neither close nor keep it.
var Writers = map[string]int{
	"fmt.Fprint": 0, "fmt.Fprintf": 0, "fmt.Fprintln": 0, "io.WriteString": 0, "io.Copy": 0, "io.CopyN": 0, "io.CopyBuffer": 0,
	"encoding/binary.Write": 0, "(*bytes.Buffer).WriteTo": 0, "(*strings.Reader).WriteTo": 0,
}

// WriterMakers return a writer or encoder on top of an argument; closing the result,
// where it can be closed, does not close the argument.
var WriterMakers = map[string]int{
	"bufio.NewWriter": 0, "bufio.NewWriterSize": 0, "encoding/json.NewEncoder": 0, "encoding/xml.NewEncoder": 0, "encoding/gob.NewEncoder": 0,
	"encoding/csv.NewWriter": 0, "compress/gzip.NewWriter": 0, "compress/zlib.NewWriter": 0, "archive/tar.NewWriter": 0, "archive/zip.NewWriter": 0,
}
