// librabbitmq as Swift can see it: variadic functions and cast macros need a form of their own.
#pragma once
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

static inline amqp_rpc_reply_t semel_amqp_login(amqp_connection_state_t connection, const char *vhost, int frame_max,
                                                int heartbeat, const amqp_table_t *client_properties, const char *user,
                                                const char *password) {
    return amqp_login_with_properties(connection, vhost, 0, frame_max, heartbeat, client_properties,
                                      AMQP_SASL_METHOD_PLAIN, user, password);
}

/// RabbitMQ takes the identity from the certificate and does not look at the one that is sent, which librabbitmq 0.11
/// cannot leave empty (it takes that for a lack of memory).
static inline amqp_rpc_reply_t semel_amqp_login_external(amqp_connection_state_t connection, const char *vhost,
                                                         int frame_max, int heartbeat,
                                                         const amqp_table_t *client_properties) {
    return amqp_login_with_properties(connection, vhost, 0, frame_max, heartbeat, client_properties,
                                      AMQP_SASL_METHOD_EXTERNAL, "certificate");
}

static const uint32_t semel_connection_close = AMQP_CONNECTION_CLOSE_METHOD;
static const uint32_t semel_connection_close_ok = AMQP_CONNECTION_CLOSE_OK_METHOD;
static const uint32_t semel_connection_blocked = AMQP_CONNECTION_BLOCKED_METHOD;
static const uint32_t semel_connection_unblocked = AMQP_CONNECTION_UNBLOCKED_METHOD;
static const uint32_t semel_channel_open = AMQP_CHANNEL_OPEN_METHOD;
static const uint32_t semel_channel_close = AMQP_CHANNEL_CLOSE_METHOD;
static const uint32_t semel_channel_close_ok = AMQP_CHANNEL_CLOSE_OK_METHOD;
static const uint32_t semel_confirm_select = AMQP_CONFIRM_SELECT_METHOD;
static const uint32_t semel_confirm_select_ok = AMQP_CONFIRM_SELECT_OK_METHOD;
static const uint32_t semel_queue_declare = AMQP_QUEUE_DECLARE_METHOD;
static const uint32_t semel_queue_declare_ok = AMQP_QUEUE_DECLARE_OK_METHOD;
static const uint32_t semel_basic_qos = AMQP_BASIC_QOS_METHOD;
static const uint32_t semel_basic_qos_ok = AMQP_BASIC_QOS_OK_METHOD;
static const uint32_t semel_basic_consume = AMQP_BASIC_CONSUME_METHOD;
static const uint32_t semel_basic_consume_ok = AMQP_BASIC_CONSUME_OK_METHOD;
static const uint32_t semel_basic_cancel = AMQP_BASIC_CANCEL_METHOD;
static const uint32_t semel_basic_cancel_ok = AMQP_BASIC_CANCEL_OK_METHOD;
static const uint32_t semel_basic_deliver = AMQP_BASIC_DELIVER_METHOD;
static const uint32_t semel_basic_get = AMQP_BASIC_GET_METHOD;
static const uint32_t semel_basic_get_ok = AMQP_BASIC_GET_OK_METHOD;
static const uint32_t semel_basic_get_empty = AMQP_BASIC_GET_EMPTY_METHOD;
static const uint32_t semel_basic_return = AMQP_BASIC_RETURN_METHOD;
static const uint32_t semel_basic_ack = AMQP_BASIC_ACK_METHOD;
static const uint32_t semel_basic_nack = AMQP_BASIC_NACK_METHOD;
