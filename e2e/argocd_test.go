package e2e

import (
	"fmt"
	"os"
	"path/filepath"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/e2e/parts"
)

// argoHealth is the health that Argo CD shows for an object, by the script that we
// ship, in the interpreter that Argo CD has and with the libraries that it opens.
func argoHealth(object *unstructured.Unstructured) (status, message string, err error) {
	script, err := argoScript()
	if err != nil {
		return "", "", err
	}
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return "", "", err
		}
	}
	l.SetGlobal("obj", luaValue(l, object.Object))
	if err := l.DoString(script); err != nil {
		return "", "", err
	}
	health, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("the script returns %s", l.Get(-1))
	}
	return lua.LVAsString(health.RawGetString("status")), lua.LVAsString(health.RawGetString("message")), nil
}

func argoScript() (string, error) {
	root, err := parts.Root()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "manifests", "argocd", "argocd-cm.yaml"))
	if err != nil {
		return "", err
	}
	var settings struct{ Data map[string]string }
	if err := yaml.Unmarshal(text, &settings); err != nil {
		return "", err
	}
	const name = "resource.customizations.health.platform.my-company.com_StaticSite"
	if settings.Data[name] == "" {
		return "", fmt.Errorf("no %s in %v", name, settings.Data)
	}
	return settings.Data[name], nil
}

// luaValue is a value of JSON in Lua, where a number is a float.
func luaValue(l *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := l.NewTable()
		for key, item := range v {
			table.RawSetString(key, luaValue(l, item))
		}
		return table
	case []any:
		table := l.NewTable()
		for _, item := range v {
			table.Append(luaValue(l, item))
		}
		return table
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	default:
		return lua.LNil
	}
}
