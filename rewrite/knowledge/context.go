package knowledge

import (
	"go/types"
	"strings"
)

// What functions that are not loaded do with a context, or with what is made
// from one: a request, a response, a command, a reader. Each row names one
// function, F or T.M, by its documented behaviour. What is not listed is unknown.

// ctxDone lists functions that are done with their arguments when they return,
// or hold them in their results, which are followed.
var ctxDone = table(map[string]string{
	"archive/tar":        "NewReader NewWriter",
	"archive/zip":        "NewReader NewWriter",
	"bufio":              "NewReader NewReaderSize NewReadWriter NewScanner NewWriter NewWriterSize Reader.WriteTo Writer.ReadFrom",
	"bytes":              "Buffer.ReadFrom Buffer.WriteTo Reader.WriteTo",
	"compress/bzip2":     "NewReader",
	"compress/flate":     "NewReader NewReaderDict NewWriter NewWriterDict",
	"compress/gzip":      "NewReader NewWriter NewWriterLevel",
	"compress/lzw":       "NewReader NewWriter",
	"compress/zlib":      "NewReader NewReaderDict NewWriter NewWriterLevel",
	"context":            "WithCancel WithCancelCause WithDeadline WithDeadlineCause WithTimeout WithTimeoutCause WithValue",
	"crypto/rand":        "Int Prime",
	"crypto/tls":         "Client Server NewListener Conn.HandshakeContext",
	"database/sql":       "DB.BeginTx DB.Conn DB.ExecContext DB.PingContext DB.PrepareContext DB.QueryContext DB.QueryRowContext Conn.BeginTx Conn.ExecContext Conn.PingContext Conn.PrepareContext Conn.QueryContext Conn.QueryRowContext Tx.ExecContext Tx.PrepareContext Tx.QueryContext Tx.QueryRowContext Tx.StmtContext Stmt.ExecContext Stmt.QueryContext Stmt.QueryRowContext",
	"encoding/base32":    "NewDecoder NewEncoder",
	"encoding/base64":    "NewDecoder NewEncoder",
	"encoding/binary":    "Read Write",
	"encoding/csv":       "NewReader NewWriter",
	"encoding/gob":       "NewDecoder NewEncoder Decoder.Decode Encoder.Encode",
	"encoding/hex":       "NewDecoder NewEncoder Dumper",
	"encoding/json":      "Marshal MarshalIndent Unmarshal NewDecoder NewEncoder Decoder.Decode Encoder.Encode",
	"encoding/xml":       "Marshal MarshalIndent Unmarshal NewDecoder NewEncoder NewTokenDecoder Decoder.Decode Decoder.DecodeElement Encoder.Encode Encoder.EncodeElement",
	"errors":             "As AsType Is Join Unwrap",
	"html/template":      "Template.Execute Template.ExecuteTemplate",
	"image":              "Decode DecodeConfig",
	"image/gif":          "Decode DecodeAll DecodeConfig Encode EncodeAll",
	"image/jpeg":         "Decode DecodeConfig Encode",
	"image/png":          "Decode DecodeConfig Encode",
	"io":                 "Copy CopyBuffer CopyN LimitReader MultiReader MultiWriter NewOffsetWriter NewSectionReader NopCloser ReadAll ReadAtLeast ReadFull TeeReader WriteString Discard.ReadFrom ReaderFrom.ReadFrom WriterTo.WriteTo",
	"io/ioutil":          "NopCloser ReadAll",
	"log":                "New",
	"log/slog":           "New NewJSONHandler NewTextHandler",
	"mime/multipart":     "NewReader NewWriter Writer.CreateFormFile Writer.WriteField",
	"net":                "Resolver.LookupAddr Resolver.LookupCNAME Resolver.LookupHost Resolver.LookupIP Resolver.LookupIPAddr Resolver.LookupMX Resolver.LookupNS Resolver.LookupNetIP Resolver.LookupPort Resolver.LookupSRV Resolver.LookupTXT",
	"net/http":           "NewRequestWithContext NewRequest ReadResponse ReadRequest Error NotFound Redirect ServeContent ServeFile ServeFileFS SetCookie StripPrefix TimeoutHandler MaxBytesHandler MaxBytesReader AllowQuerySemicolons FileServer NewResponseController ProxyFromEnvironment Request.Clone Request.WithContext Client.Do Client.Get Client.Head Client.Post Client.PostForm Transport.RoundTrip RoundTripper.RoundTrip Handler.ServeHTTP ServeMux.Handler Server.Shutdown Header.Write Request.Write Request.WriteProxy Response.Write ResponseController.Flush",
	"net/http/httptest":  "NewRequestWithContext NewServer NewTLSServer NewUnstartedServer",
	"net/http/httptrace": "WithClientTrace ContextClientTrace",
	"net/http/httputil":  "DumpRequest DumpRequestOut DumpResponse NewChunkedReader NewChunkedWriter ReverseProxy.ServeHTTP",
	"net/textproto":      "NewConn NewReader NewWriter",
	"os":                 "File.ReadFrom File.WriteTo",
	"os/exec":            "CommandContext",
	"os/signal":          "NotifyContext",
	"reflect":            "DeepEqual Indirect TypeOf ValueOf",
	"runtime/pprof":      "ForLabels Label SetGoroutineLabels WithLabels",
	"runtime/trace":      "IsEnabled Log Logf NewTask StartRegion",
	"strings":            "NewReplacer Reader.WriteTo",
	"testing/iotest":     "DataErrReader HalfReader OneByteReader TestReader TimeoutReader",
	"text/template":      "Template.Execute Template.ExecuteTemplate",

	// "Invoke performs a unary RPC and returns after the response is received
	// into reply"; a stream is what NewStream returns.
	"google.golang.org/grpc": "ClientConn.Invoke ClientConn.NewStream ClientConnInterface.Invoke ClientConnInterface.NewStream",
	// A span outlives no context; it and the context that carries it are results.
	"go.opentelemetry.io/otel/trace": "Tracer.Start ContextWithSpan ContextWithSpanContext ContextWithRemoteSpanContext",
	// Each call sends one request and waits for its answer, or returns what reads the answer.
	"github.com/jackc/pgx/v5":         "Connect Conn.Begin Conn.BeginTx Conn.Close Conn.CopyFrom Conn.Exec Conn.Ping Conn.Prepare Conn.Query Conn.QueryRow Conn.SendBatch Tx.Begin Tx.Commit Tx.CopyFrom Tx.Exec Tx.Prepare Tx.Query Tx.QueryRow Tx.Rollback Tx.SendBatch",
	"github.com/jackc/pgx/v5/pgxpool": "Pool.Acquire Pool.Begin Pool.BeginTx Pool.CopyFrom Pool.Exec Pool.Ping Pool.Query Pool.QueryRow Pool.SendBatch Tx.Begin Tx.Commit Tx.CopyFrom Tx.Exec Tx.Query Tx.QueryRow Tx.Rollback Conn.Exec Conn.Ping Conn.Query Conn.QueryRow Conn.Begin Conn.BeginTx",
	"github.com/jmoiron/sqlx":         "DB.BeginTxx DB.GetContext DB.MustExecContext DB.NamedExecContext DB.PreparexContext DB.QueryRowxContext DB.QueryxContext DB.SelectContext Tx.GetContext Tx.MustExecContext Tx.NamedExecContext Tx.QueryRowxContext Tx.QueryxContext Tx.SelectContext ConnectContext",
})

// ctxDetached lists functions that are done with their arguments when they
// return, and whose results do not depend on the end of the context, though
// their types could.
var ctxDetached = table(map[string]string{
	"context":    "Cause WithoutCancel",
	"crypto/tls": "Dialer.DialContext",
	"net":        "Dialer.DialContext Dialer.DialIP Dialer.DialTCP Dialer.DialUDP Dialer.DialUnix ListenConfig.Listen ListenConfig.ListenPacket",
	// They look up a value of the context.
	"go.opentelemetry.io/otel/trace":         "SpanContextFromContext",
	"github.com/go-logr/logr":                "FromContext FromContextOrDiscard",
	"k8s.io/klog/v2":                         "FromContext",
	"sigs.k8s.io/controller-runtime/pkg/log": "FromContext",
	"github.com/rs/zerolog":                  "Ctx",
	"github.com/rs/zerolog/log":              "Ctx",
	"google.golang.org/grpc/metadata":        "FromIncomingContext FromOutgoingContext",
	"google.golang.org/grpc/peer":            "FromContext",
})

// ctxKeeps lists functions that go on using an argument after they have
// returned, or put it where others find it.
var ctxKeeps = table(map[string]string{
	"bufio":             "Reader.Reset Writer.Reset",
	"compress/gzip":     "Reader.Reset Writer.Reset",
	"container/list":    "List.InsertAfter List.InsertBefore List.PushBack List.PushFront",
	"container/heap":    "Push",
	"context":           "AfterFunc",
	"database/sql":      "Register OpenDB",
	"expvar":            "Publish",
	"log":               "SetOutput Logger.SetOutput",
	"log/slog":          "SetDefault",
	"maps":              "Copy Insert",
	"net/http":          "Handle HandleFunc ServeMux.Handle ServeMux.HandleFunc Serve ServeTLS Server.Serve Server.ServeTLS Server.ListenAndServe Server.ListenAndServeTLS Server.RegisterOnShutdown ListenAndServe ListenAndServeTLS Transport.RegisterProtocol",
	"net/http/httptest": "Server.Start Server.StartTLS",
	"net/rpc":           "Register RegisterName Server.Register Server.RegisterName",
	"os/exec":           "Cmd.Start",
	"runtime":           "SetFinalizer AddCleanup",
	"sync":              "Map.CompareAndSwap Map.LoadOrStore Map.Store Map.Swap Pool.Put",
	"sync/atomic":       "Pointer.CompareAndSwap Pointer.Store Pointer.Swap Value.CompareAndSwap Value.Store Value.Swap",
	"testing":           "common.Cleanup TB.Cleanup T.Run B.Run F.Fuzz",
	"time":              "AfterFunc",
})

// ctxHolders are types that are made from a context and whose methods, those in
// ctxKeeps aside, are done with it when they return.
var ctxHolders = table(map[string]string{
	"archive/tar":       "Reader Writer",
	"archive/zip":       "Reader Writer File",
	"bufio":             "Reader Writer ReadWriter Scanner",
	"bytes":             "Buffer Reader",
	"compress/gzip":     "Reader Writer",
	"context":           "Context",
	"crypto/tls":        "Conn",
	"database/sql":      "Conn DB Row Rows Stmt Tx",
	"encoding/csv":      "Reader Writer",
	"encoding/gob":      "Decoder Encoder",
	"encoding/json":     "Decoder Encoder",
	"encoding/xml":      "Decoder Encoder",
	"io":                "Closer LimitedReader ReadCloser Reader ReaderAt ReadWriteCloser ReadWriter SectionReader StringWriter WriteCloser Writer",
	"log":               "Logger",
	"log/slog":          "Logger",
	"mime/multipart":    "Part Reader Writer",
	"net/http":          "Header Request Response ResponseController",
	"net/http/httptest": "Server",
	"net/textproto":     "Reader Writer",
	"net/url":           "URL Values",
	"os/exec":           "Cmd",
	"reflect":           "Type Value",
	"runtime/trace":     "Region Task",
	"strings":           "Reader",

	"go.opentelemetry.io/otel/trace": "Span",
	"github.com/jackc/pgx/v5":        "Batch BatchResults Row Rows",
	"google.golang.org/grpc":         "ClientStream",
})

// table makes the names of each package a set.
func table(rows map[string]string) map[string]map[string]bool {
	t := map[string]map[string]bool{}
	for path, names := range rows {
		t[path] = set(strings.Fields(names)...)
	}
	return t
}

// rowName returns the name of fn in a table, F or T.M, and the T.
func rowName(fn *types.Func) (name, typ string) {
	recv := fn.Signature().Recv()
	if recv == nil {
		return fn.Name(), ""
	}
	t := types.Unalias(recv.Type())
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		typ = named.Obj().Name()
	}
	return typ + "." + fn.Name(), typ
}

// OnContext returns what the tables say of fn and an argument of it, -1 for its receiver.
func OnContext(fn *types.Func, arg int) ContextEffect {
	path := fn.Pkg().Path()
	name, typ := rowName(fn)
	switch {
	case ctxKeeps[path][name]:
		return ContextKept
	case ctxDetached[path][name]:
		return ContextGone
	case ctxDone[path][name] || arg < 0 && ctxHolders[path][typ] || awsCall(fn):
		return ContextHeld
	case LooksOnly(fn):
		return ContextGone
	}
	return ContextUnknown
}

// awsCall reports whether fn is an operation of a client of the AWS SDK: each
// sends a request and returns what has come back, a body that is still to be
// read included.
func awsCall(fn *types.Func) bool {
	path, sig := fn.Pkg().Path(), fn.Signature()
	if sig.Recv() == nil || sig.Results().Len() != 2 || sig.Params().Len() < 2 {
		return false
	}
	_, typ := rowName(fn)
	return strings.HasPrefix(path, "github.com/aws/aws-sdk-go-v2/service/") && typ == "Client" ||
		strings.HasPrefix(path, "github.com/aws/aws-sdk-go/service/") && strings.HasSuffix(fn.Name(), "WithContext")
}

// ContextEffect is what a call does with a context that it gets.
type ContextEffect uint8

const (
	ContextUnknown ContextEffect = iota
	ContextGone                  // done with it when it returns, and so is what it returns
	ContextHeld                  // done with it when it returns, but for what it returns
	ContextKept                  // goes on using it, or puts it where others find it
)
