// Generated from reflexarc.bitproto: do not edit.
#pragma once
#ifndef SCHEMA_HASH
#define SCHEMA_HASH 0x52C85C68UL
#endif
