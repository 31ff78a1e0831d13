// Renders a Modelfile's template as Ollama does: Go's text/template over the fields that Ollama gives it.
// One JSON line in ({"template", "messages", "tools"}), one out ({"prompt"} or {"error"}).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

// Arguments print as JSON, as those of Ollama's api.ToolCallFunctionArguments do.
type Arguments map[string]any

func (arguments Arguments) String() string {
	bytes, _ := json.Marshal(map[string]any(arguments))
	return string(bytes)
}

// Tools print as JSON, as Ollama's api.Tools does.
type Tools []json.RawMessage

func (tools Tools) String() string {
	bytes, _ := json.Marshal([]json.RawMessage(tools))
	return string(bytes)
}

type Function struct {
	Name      string
	Arguments Arguments
}

type ToolCall struct {
	ID       string
	Function Function
}

type Message struct {
	Role, Content, ToolName, ToolCallID string
	ToolCalls                           []ToolCall
}

type Line struct {
	Template string
	Messages []Message
	Tools    Tools
}

func render(line Line) (string, error) {
	parsed, err := template.New("").Parse(line.Template)
	if err != nil {
		return "", err
	}
	var system []string
	for _, message := range line.Messages {
		if message.Role == "system" {
			system = append(system, message.Content)
		}
	}
	var prompt strings.Builder
	err = parsed.Execute(&prompt, map[string]any{
		"System": strings.Join(system, "\n\n"), "Messages": line.Messages, "Tools": line.Tools, "Response": "",
	})
	return prompt.String(), err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line Line
		answer := map[string]string{}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			answer["error"] = err.Error()
		} else if prompt, err := render(line); err != nil {
			answer["error"] = err.Error()
		} else {
			answer["prompt"] = prompt
		}
		bytes, _ := json.Marshal(answer)
		fmt.Println(string(bytes))
	}
}
