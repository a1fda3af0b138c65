// libyaml as Swift can call it, for the target `Configuration`: the events of a YAML text, without a tree.

#ifndef SL_CYAML_SHIM_H
#define SL_CYAML_SHIM_H

#include <yaml.h>

#endif
