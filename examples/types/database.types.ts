export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Allows to automatically instantiate createClient with right options
  // instead of createClient<Database, { PostgrestVersion: 'XX' }>(URL, KEY)
  __InternalSupabase: {
    PostgrestVersion: "12"
  }
  app: {
    Tables: {
      billing_events: {
        Row: {
          amount_cents: number | null
          created_at: string
          created_by: string | null
          currency: string | null
          event_at: string
          event_type: Database["app"]["Enums"]["billing_event_type"]
          facts: Json | null
          id: string
          metadata: Json | null
          new_plan: string | null
          old_plan: string | null
          stripe_event_id: string | null
          updated_at: string
          workspace_id: string
        }
        Insert: {
          amount_cents?: number | null
          created_at?: string
          created_by?: string | null
          currency?: string | null
          event_at?: string
          event_type: Database["app"]["Enums"]["billing_event_type"]
          facts?: Json | null
          id?: string
          metadata?: Json | null
          new_plan?: string | null
          old_plan?: string | null
          stripe_event_id?: string | null
          updated_at?: string
          workspace_id?: string
        }
        Update: {
          amount_cents?: number | null
          created_at?: string
          created_by?: string | null
          currency?: string | null
          event_at?: string
          event_type?: Database["app"]["Enums"]["billing_event_type"]
          facts?: Json | null
          id?: string
          metadata?: Json | null
          new_plan?: string | null
          old_plan?: string | null
          stripe_event_id?: string | null
          updated_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "billing_events_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "billing_events_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      credit_usage: {
        Row: {
          action_type: Database["app"]["Enums"]["credit_action"]
          auth_user_id: string | null
          created_at: string
          created_by: string | null
          credits_used: number
          id: string
          idempotency_key: string | null
          metadata: Json | null
          reference_id: string | null
          updated_at: string
          user_id: string | null
          workspace_id: string
        }
        Insert: {
          action_type: Database["app"]["Enums"]["credit_action"]
          auth_user_id?: string | null
          created_at?: string
          created_by?: string | null
          credits_used: number
          id?: string
          idempotency_key?: string | null
          metadata?: Json | null
          reference_id?: string | null
          updated_at?: string
          user_id?: string | null
          workspace_id?: string
        }
        Update: {
          action_type?: Database["app"]["Enums"]["credit_action"]
          auth_user_id?: string | null
          created_at?: string
          created_by?: string | null
          credits_used?: number
          id?: string
          idempotency_key?: string | null
          metadata?: Json | null
          reference_id?: string | null
          updated_at?: string
          user_id?: string | null
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "credit_usage_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "credit_usage_user_id_workspace_id_fkey"
            columns: ["user_id", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "credit_usage_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      expired_export_files: {
        Row: {
          expired_at: string
          file_url: string
          id: string
          workspace_id: string
        }
        Insert: {
          expired_at?: string
          file_url: string
          id?: string
          workspace_id?: string
        }
        Update: {
          expired_at?: string
          file_url?: string
          id?: string
          workspace_id?: string
        }
        Relationships: []
      }
      export_jobs: {
        Row: {
          completed_at: string | null
          created_at: string
          created_by: string | null
          error_message: string | null
          expires_at: string | null
          export_format: Database["app"]["Enums"]["export_format"]
          file_size_bytes: number | null
          file_url: string | null
          filters: Json | null
          id: string
          row_count: number | null
          started_at: string | null
          status: Database["app"]["Enums"]["export_status"]
          updated_at: string
          user_id: string | null
          workspace_id: string
        }
        Insert: {
          completed_at?: string | null
          created_at?: string
          created_by?: string | null
          error_message?: string | null
          expires_at?: string | null
          export_format?: Database["app"]["Enums"]["export_format"]
          file_size_bytes?: number | null
          file_url?: string | null
          filters?: Json | null
          id?: string
          row_count?: number | null
          started_at?: string | null
          status?: Database["app"]["Enums"]["export_status"]
          updated_at?: string
          user_id?: string | null
          workspace_id?: string
        }
        Update: {
          completed_at?: string | null
          created_at?: string
          created_by?: string | null
          error_message?: string | null
          expires_at?: string | null
          export_format?: Database["app"]["Enums"]["export_format"]
          file_size_bytes?: number | null
          file_url?: string | null
          filters?: Json | null
          id?: string
          row_count?: number | null
          started_at?: string | null
          status?: Database["app"]["Enums"]["export_status"]
          updated_at?: string
          user_id?: string | null
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "export_jobs_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "export_jobs_user_id_workspace_id_fkey"
            columns: ["user_id", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "export_jobs_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      global_topics: {
        Row: {
          category: Database["app"]["Enums"]["topic_category"]
          change_percent: number
          created_at: string
          created_by: string | null
          current_volume: number
          id: string
          search_bucket: number
          topic: string
          topic_tsv: unknown
          trend_change: number | null
          trend_direction: Database["app"]["Enums"]["trend_direction"]
          updated_at: string
        }
        Insert: {
          category?: Database["app"]["Enums"]["topic_category"]
          change_percent?: number
          created_at?: string
          created_by?: string | null
          current_volume?: number
          id?: string
          search_bucket?: number
          topic: string
          topic_tsv?: never
          trend_change?: never
          trend_direction?: Database["app"]["Enums"]["trend_direction"]
          updated_at?: string
        }
        Update: {
          category?: Database["app"]["Enums"]["topic_category"]
          change_percent?: number
          created_at?: string
          created_by?: string | null
          current_volume?: number
          id?: string
          search_bucket?: number
          topic?: string
          topic_tsv?: never
          trend_change?: never
          trend_direction?: Database["app"]["Enums"]["trend_direction"]
          updated_at?: string
        }
        Relationships: []
      }
      integration_events: {
        Row: {
          attempts: number
          created_at: string
          event_data: NonNullable<Json>
          id: string
          integration_id: string
          last_error: string | null
          lease_until: string | null
          next_attempt_at: string | null
          sent_at: string | null
          status: Database["app"]["Enums"]["delivery_status"]
          workspace_id: string
        }
        Insert: {
          attempts?: number
          created_at?: string
          event_data: NonNullable<Json>
          id?: string
          integration_id: string
          last_error?: string | null
          lease_until?: string | null
          next_attempt_at?: string | null
          sent_at?: string | null
          status?: Database["app"]["Enums"]["delivery_status"]
          workspace_id?: string
        }
        Update: {
          attempts?: number
          created_at?: string
          event_data?: NonNullable<Json>
          id?: string
          integration_id?: string
          last_error?: string | null
          lease_until?: string | null
          next_attempt_at?: string | null
          sent_at?: string | null
          status?: Database["app"]["Enums"]["delivery_status"]
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "integration_events_integration_id_workspace_id_fkey"
            columns: ["integration_id", "workspace_id"]
            referencedRelation: "integrations"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "integration_events_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      integrations: {
        Row: {
          config: NonNullable<Json>
          created_at: string
          created_by: string | null
          error_count: number
          id: string
          last_error: string | null
          last_used_at: string | null
          name: string
          status: Database["app"]["Enums"]["integration_status"]
          total_events_sent: number
          type: Database["app"]["Enums"]["integration_type"]
          updated_at: string
          workspace_id: string
        }
        Insert: {
          config?: NonNullable<Json>
          created_at?: string
          created_by?: string | null
          error_count?: number
          id?: string
          last_error?: string | null
          last_used_at?: string | null
          name: string
          status?: Database["app"]["Enums"]["integration_status"]
          total_events_sent?: number
          type: Database["app"]["Enums"]["integration_type"]
          updated_at?: string
          workspace_id?: string
        }
        Update: {
          config?: NonNullable<Json>
          created_at?: string
          created_by?: string | null
          error_count?: number
          id?: string
          last_error?: string | null
          last_used_at?: string | null
          name?: string
          status?: Database["app"]["Enums"]["integration_status"]
          total_events_sent?: number
          type?: Database["app"]["Enums"]["integration_type"]
          updated_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "integrations_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "integrations_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      invitations: {
        Row: {
          accepted_at: string | null
          accepted_by: string | null
          created_at: string
          created_by: string | null
          email: string
          expires_at: string
          id: string
          revoked_at: string | null
          role: Database["app"]["Enums"]["user_role"]
          token_sha256: string
          updated_at: string
          workspace_id: string
        }
        Insert: {
          accepted_at?: string | null
          accepted_by?: string | null
          created_at?: string
          created_by?: string | null
          email: string
          expires_at: string
          id?: string
          revoked_at?: string | null
          role: Database["app"]["Enums"]["user_role"]
          token_sha256: string
          updated_at?: string
          workspace_id?: string
        }
        Update: {
          accepted_at?: string | null
          accepted_by?: string | null
          created_at?: string
          created_by?: string | null
          email?: string
          expires_at?: string
          id?: string
          revoked_at?: string | null
          role?: Database["app"]["Enums"]["user_role"]
          token_sha256?: string
          updated_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "invitations_accepted_by_workspace_id_fkey"
            columns: ["accepted_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "invitations_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "invitations_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      leads: {
        Row: {
          company_data: NonNullable<Json>
          contact_data: Json | null
          created_at: string
          created_by: string | null
          delivered_at: string | null
          delivery_attempts: number
          delivery_lease_until: string | null
          delivery_next_attempt_at: string | null
          delivery_status: Database["app"]["Enums"]["delivery_status"]
          enriched_at: string | null
          enrichment_attempts: number
          enrichment_lease_until: string | null
          enrichment_next_attempt_at: string | null
          enrichment_status: Database["app"]["Enums"]["enrichment_status"]
          id: string
          last_error: string | null
          query_id: string | null
          updated_at: string
          workspace_id: string
          lead_domain: string | null
        }
        Insert: {
          company_data: NonNullable<Json>
          contact_data?: Json | null
          created_at?: string
          created_by?: string | null
          delivered_at?: string | null
          delivery_attempts?: number
          delivery_lease_until?: string | null
          delivery_next_attempt_at?: string | null
          delivery_status?: Database["app"]["Enums"]["delivery_status"]
          enriched_at?: string | null
          enrichment_attempts?: number
          enrichment_lease_until?: string | null
          enrichment_next_attempt_at?: string | null
          enrichment_status?: Database["app"]["Enums"]["enrichment_status"]
          id?: string
          last_error?: string | null
          query_id?: string | null
          updated_at?: string
          workspace_id?: string
        }
        Update: {
          company_data?: NonNullable<Json>
          contact_data?: Json | null
          created_at?: string
          created_by?: string | null
          delivered_at?: string | null
          delivery_attempts?: number
          delivery_lease_until?: string | null
          delivery_next_attempt_at?: string | null
          delivery_status?: Database["app"]["Enums"]["delivery_status"]
          enriched_at?: string | null
          enrichment_attempts?: number
          enrichment_lease_until?: string | null
          enrichment_next_attempt_at?: string | null
          enrichment_status?: Database["app"]["Enums"]["enrichment_status"]
          id?: string
          last_error?: string | null
          query_id?: string | null
          updated_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "leads_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "leads_query_id_workspace_id_fkey"
            columns: ["query_id", "workspace_id"]
            referencedRelation: "queries"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "leads_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      notification_preferences: {
        Row: {
          created_at: string
          created_by: string | null
          email_billing_updates: boolean
          email_credit_low: boolean
          email_daily_digest: boolean
          email_new_leads: boolean
          email_query_completed: boolean
          email_weekly_report: boolean
          id: string
          inapp_mentions: boolean
          inapp_new_leads: boolean
          inapp_system_updates: boolean
          slack_daily_digest: boolean
          slack_new_leads: boolean
          updated_at: string
          user_id: string
          workspace_id: string
        }
        Insert: {
          created_at?: string
          created_by?: string | null
          email_billing_updates?: boolean
          email_credit_low?: boolean
          email_daily_digest?: boolean
          email_new_leads?: boolean
          email_query_completed?: boolean
          email_weekly_report?: boolean
          id?: string
          inapp_mentions?: boolean
          inapp_new_leads?: boolean
          inapp_system_updates?: boolean
          slack_daily_digest?: boolean
          slack_new_leads?: boolean
          updated_at?: string
          user_id?: string
          workspace_id?: string
        }
        Update: {
          created_at?: string
          created_by?: string | null
          email_billing_updates?: boolean
          email_credit_low?: boolean
          email_daily_digest?: boolean
          email_new_leads?: boolean
          email_query_completed?: boolean
          email_weekly_report?: boolean
          id?: string
          inapp_mentions?: boolean
          inapp_new_leads?: boolean
          inapp_system_updates?: boolean
          slack_daily_digest?: boolean
          slack_new_leads?: boolean
          updated_at?: string
          user_id?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "notification_preferences_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "notification_preferences_user_id_workspace_id_fkey"
            columns: ["user_id", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "notification_preferences_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      people_search_results: {
        Row: {
          created_at: string
          created_by: string | null
          email_revealed_at: string | null
          email_revealed_by: string | null
          id: string
          person_data: NonNullable<Json>
          search_filters: Json | null
          updated_at: string
          user_id: string | null
          workspace_id: string
          person_company: string | null
          person_name: string | null
          person_seniority: string | null
        }
        Insert: {
          created_at?: string
          created_by?: string | null
          email_revealed_at?: string | null
          email_revealed_by?: string | null
          id?: string
          person_data: NonNullable<Json>
          search_filters?: Json | null
          updated_at?: string
          user_id?: string | null
          workspace_id?: string
        }
        Update: {
          created_at?: string
          created_by?: string | null
          email_revealed_at?: string | null
          email_revealed_by?: string | null
          id?: string
          person_data?: NonNullable<Json>
          search_filters?: Json | null
          updated_at?: string
          user_id?: string | null
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "people_search_results_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "people_search_results_email_revealed_by_workspace_id_fkey"
            columns: ["email_revealed_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "people_search_results_user_id_workspace_id_fkey"
            columns: ["user_id", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "people_search_results_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      plans: {
        Row: {
          active_queries: number | null
          created_at: string
          daily_credits: number | null
          export_rows: number | null
          members: number | null
          name: string
          saved_searches: number | null
          updated_at: string
        }
        Insert: {
          active_queries?: number | null
          created_at?: string
          daily_credits?: number | null
          export_rows?: number | null
          members?: number | null
          name: string
          saved_searches?: number | null
          updated_at?: string
        }
        Update: {
          active_queries?: number | null
          created_at?: string
          daily_credits?: number | null
          export_rows?: number | null
          members?: number | null
          name?: string
          saved_searches?: number | null
          updated_at?: string
        }
        Relationships: []
      }
      queries: {
        Row: {
          created_at: string
          created_by: string | null
          filters: NonNullable<Json>
          id: string
          last_run_at: string | null
          leads_this_week: number
          lease_until: string | null
          name: string
          next_run_at: string | null
          status: Database["app"]["Enums"]["query_status"]
          topic_id: string
          total_leads_generated: number
          updated_at: string
          workspace_id: string
        }
        Insert: {
          created_at?: string
          created_by?: string | null
          filters?: NonNullable<Json>
          id?: string
          last_run_at?: string | null
          leads_this_week?: number
          lease_until?: string | null
          name: string
          next_run_at?: string | null
          status?: Database["app"]["Enums"]["query_status"]
          topic_id: string
          total_leads_generated?: number
          updated_at?: string
          workspace_id?: string
        }
        Update: {
          created_at?: string
          created_by?: string | null
          filters?: NonNullable<Json>
          id?: string
          last_run_at?: string | null
          leads_this_week?: number
          lease_until?: string | null
          name?: string
          next_run_at?: string | null
          status?: Database["app"]["Enums"]["query_status"]
          topic_id?: string
          total_leads_generated?: number
          updated_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "queries_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "queries_topic_id_fkey"
            columns: ["topic_id"]
            referencedRelation: "global_topics"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "queries_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      saved_people_searches: {
        Row: {
          created_at: string
          created_by: string | null
          filters: Json | null
          id: string
          last_used_at: string | null
          name: string
          updated_at: string
          use_count: number
          user_id: string | null
          workspace_id: string
        }
        Insert: {
          created_at?: string
          created_by?: string | null
          filters?: Json | null
          id?: string
          last_used_at?: string | null
          name: string
          updated_at?: string
          use_count?: number
          user_id?: string | null
          workspace_id?: string
        }
        Update: {
          created_at?: string
          created_by?: string | null
          filters?: Json | null
          id?: string
          last_used_at?: string | null
          name?: string
          updated_at?: string
          use_count?: number
          user_id?: string | null
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "saved_people_searches_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "saved_people_searches_user_id_workspace_id_fkey"
            columns: ["user_id", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "saved_people_searches_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      saved_searches: {
        Row: {
          created_at: string
          created_by: string | null
          filters: NonNullable<Json>
          id: string
          last_used_at: string | null
          name: string
          updated_at: string
          use_count: number
          workspace_id: string
        }
        Insert: {
          created_at?: string
          created_by?: string | null
          filters?: NonNullable<Json>
          id?: string
          last_used_at?: string | null
          name: string
          updated_at?: string
          use_count?: number
          workspace_id?: string
        }
        Update: {
          created_at?: string
          created_by?: string | null
          filters?: NonNullable<Json>
          id?: string
          last_used_at?: string | null
          name?: string
          updated_at?: string
          use_count?: number
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "saved_searches_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "saved_searches_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      schema_migrations: {
        Row: {
          applied_at: string
          name: string
          version: string
        }
        Insert: {
          applied_at?: string
          name: string
          version: string
        }
        Update: {
          applied_at?: string
          name?: string
          version?: string
        }
        Relationships: []
      }
      sealed_contacts: {
        Row: {
          result_id: string
          sealed: NonNullable<Json>
          sealed_at: string
          workspace_id: string
        }
        Insert: {
          result_id: string
          sealed: NonNullable<Json>
          sealed_at?: string
          workspace_id?: string
        }
        Update: {
          result_id?: string
          sealed?: NonNullable<Json>
          sealed_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "sealed_contacts_result_id_workspace_id_fkey"
            columns: ["result_id", "workspace_id"]
            referencedRelation: "people_search_results"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "sealed_contacts_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      sealed_secrets: {
        Row: {
          integration_id: string
          sealed: NonNullable<Json>
          sealed_at: string
          workspace_id: string
        }
        Insert: {
          integration_id: string
          sealed: NonNullable<Json>
          sealed_at?: string
          workspace_id?: string
        }
        Update: {
          integration_id?: string
          sealed?: NonNullable<Json>
          sealed_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "sealed_secrets_integration_id_workspace_id_fkey"
            columns: ["integration_id", "workspace_id"]
            referencedRelation: "integrations"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "sealed_secrets_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      stripe_customers: {
        Row: {
          created_at: string
          created_by: string | null
          current_period_end: string | null
          current_period_start: string | null
          default_payment_method: string | null
          id: string
          initial_state: Json | null
          last_event_at: string | null
          metadata: Json | null
          stripe_customer_id: string
          stripe_subscription_id: string | null
          subscription_status: string | null
          updated_at: string
          workspace_id: string
        }
        Insert: {
          created_at?: string
          created_by?: string | null
          current_period_end?: string | null
          current_period_start?: string | null
          default_payment_method?: string | null
          id?: string
          initial_state?: Json | null
          last_event_at?: string | null
          metadata?: Json | null
          stripe_customer_id: string
          stripe_subscription_id?: string | null
          subscription_status?: string | null
          updated_at?: string
          workspace_id?: string
        }
        Update: {
          created_at?: string
          created_by?: string | null
          current_period_end?: string | null
          current_period_start?: string | null
          default_payment_method?: string | null
          id?: string
          initial_state?: Json | null
          last_event_at?: string | null
          metadata?: Json | null
          stripe_customer_id?: string
          stripe_subscription_id?: string | null
          subscription_status?: string | null
          updated_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "stripe_customers_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "stripe_customers_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      trends: {
        Row: {
          change_percent: number | null
          created_at: string
          created_by: string | null
          id: string
          rank_category: number | null
          rank_overall: number | null
          topic_id: string
          updated_at: string
          volume: number
          week_end: string
          week_start: string
        }
        Insert: {
          change_percent?: number | null
          created_at?: string
          created_by?: string | null
          id?: string
          rank_category?: number | null
          rank_overall?: number | null
          topic_id: string
          updated_at?: string
          volume?: number
          week_end: string
          week_start: string
        }
        Update: {
          change_percent?: number | null
          created_at?: string
          created_by?: string | null
          id?: string
          rank_category?: number | null
          rank_overall?: number | null
          topic_id?: string
          updated_at?: string
          volume?: number
          week_end?: string
          week_start?: string
        }
        Relationships: [
          {
            foreignKeyName: "trends_topic_id_fkey"
            columns: ["topic_id"]
            referencedRelation: "global_topics"
            referencedColumns: ["id"]
          },
        ]
      }
      users: {
        Row: {
          auth_user_id: string
          avatar_url: string | null
          created_at: string
          created_by: string | null
          credits_reset_on: string
          daily_credit_limit: number | null
          daily_credits_used: number
          email: string
          full_name: string | null
          id: string
          last_login_at: string | null
          plan: string
          referral_code: string | null
          referred_by: string | null
          role: Database["app"]["Enums"]["user_role"]
          updated_at: string
          workspace_id: string
        }
        Insert: {
          auth_user_id: string
          avatar_url?: string | null
          created_at?: string
          created_by?: string | null
          credits_reset_on?: string
          daily_credit_limit?: number | null
          daily_credits_used?: number
          email: string
          full_name?: string | null
          id?: string
          last_login_at?: string | null
          plan?: string
          referral_code?: string | null
          referred_by?: string | null
          role?: Database["app"]["Enums"]["user_role"]
          updated_at?: string
          workspace_id?: string
        }
        Update: {
          auth_user_id?: string
          avatar_url?: string | null
          created_at?: string
          created_by?: string | null
          credits_reset_on?: string
          daily_credit_limit?: number | null
          daily_credits_used?: number
          email?: string
          full_name?: string | null
          id?: string
          last_login_at?: string | null
          plan?: string
          referral_code?: string | null
          referred_by?: string | null
          role?: Database["app"]["Enums"]["user_role"]
          updated_at?: string
          workspace_id?: string
        }
        Relationships: [
          {
            foreignKeyName: "users_created_by_workspace_id_fkey"
            columns: ["created_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "users_plan_fkey"
            columns: ["plan"]
            referencedRelation: "plans"
            referencedColumns: ["name"]
          },
          {
            foreignKeyName: "users_referred_by_workspace_id_fkey"
            columns: ["referred_by", "workspace_id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
          {
            foreignKeyName: "users_workspace_id_fkey"
            columns: ["workspace_id"]
            referencedRelation: "workspaces"
            referencedColumns: ["id"]
          },
        ]
      }
      visible_fields: {
        Row: {
          field: string
          kind: string
          object: string
        }
        Insert: {
          field: string
          kind?: string
          object: string
        }
        Update: {
          field?: string
          kind?: string
          object?: string
        }
        Relationships: []
      }
      workspace_creations: {
        Row: {
          auth_user_id: string
          created_at: string
          workspace: string
        }
        Insert: {
          auth_user_id: string
          created_at?: string
          workspace: string
        }
        Update: {
          auth_user_id?: string
          created_at?: string
          workspace?: string
        }
        Relationships: []
      }
      workspaces: {
        Row: {
          branding: Json | null
          created_at: string
          created_by: string | null
          custom_domain: string | null
          id: string
          industry_vertical: string | null
          name: string
          slug: string
          subdomain: string | null
          updated_at: string
        }
        Insert: {
          branding?: Json | null
          created_at?: string
          created_by?: string | null
          custom_domain?: string | null
          id?: string
          industry_vertical?: string | null
          name: string
          slug: string
          subdomain?: string | null
          updated_at?: string
        }
        Update: {
          branding?: Json | null
          created_at?: string
          created_by?: string | null
          custom_domain?: string | null
          id?: string
          industry_vertical?: string | null
          name?: string
          slug?: string
          subdomain?: string | null
          updated_at?: string
        }
        Relationships: [
          {
            foreignKeyName: "workspaces_created_by_id_fkey"
            columns: ["created_by", "id"]
            referencedRelation: "users"
            referencedColumns: ["id", "workspace_id"]
          },
        ]
      }
    }
    Views: {
      openinfo_jobs: {
        Row: {
          active: boolean | null
          duration: string | null
          last_message: string | null
          last_start: string | null
          last_status: string | null
          last_success: string | null
          name: string | null
          overdue: boolean | null
          schedule: string | null
        }
        Relationships: []
      }
      openinfo_metrics: {
        Row: {
          labels: Json | null
          name: string | null
          value: number | null
        }
        Relationships: []
      }
    }
    Functions: {
      accept_invitation: {
        Args: { p_full_name?: string; p_token: string }
        Returns: string
      }
      add_member: {
        Args: {
          p_auth_user_id: string
          p_email: string
          p_role?: Database["app"]["Enums"]["user_role"]
          p_workspace_id: string
        }
        Returns: string
      }
      api_privileges: {
        Args: Record<PropertyKey, never>
        Returns: {
          deletes: boolean
          inserts: string[]
          reads: boolean
          relname: string
          updates: string[]
        }[]
      }
      api_privileges_20260101000006: {
        Args: Record<PropertyKey, never>
        Returns: {
          deletes: boolean
          inserts: string[]
          reads: boolean
          relname: string
          updates: string[]
        }[]
      }
      api_privileges_20260201000001: {
        Args: Record<PropertyKey, never>
        Returns: {
          deletes: boolean
          inserts: string[]
          reads: boolean
          relname: string
          updates: string[]
        }[]
      }
      apply_migrations: { Args: Record<PropertyKey, never>; Returns: string[] }
      check_credits_available: {
        Args: { p_credits_needed?: number; p_user_id?: string }
        Returns: boolean
      }
      check_query_limit: {
        Args: { user_workspace_id?: string }
        Returns: boolean
      }
      checked_columns: {
        Args: Record<PropertyKey, never>
        Returns: {
          attacl: unknown[]
          attnum: number
          insertable: boolean
          name: string
          ours: boolean
          tableoid: unknown
          updatable: boolean
        }[]
      }
      checked_definers: {
        Args: Record<PropertyKey, never>
        Returns: {
          name: string
          oid: unknown
          proconfig: string[]
        }[]
      }
      checked_foreign_keys: {
        Args: Record<PropertyKey, never>
        Returns: {
          confdelsetcols: number[]
          confdeltype: string
          confkey: number[]
          confrelid: unknown
          conkey: number[]
          convalidated: boolean
          name: string
          oid: unknown
          tableoid: unknown
          workspace_column: number
        }[]
      }
      checked_functions: {
        Args: Record<PropertyKey, never>
        Returns: {
          initprivs: unknown[]
          oid: unknown
          pinned: boolean
          proacl: unknown[]
          proconfig: string[]
          proowner: unknown
        }[]
      }
      checked_logins: {
        Args: Record<PropertyKey, never>
        Returns: {
          bypasses: string
          name: string
          role: unknown
        }[]
      }
      checked_policies: {
        Args: Record<PropertyKey, never>
        Returns: {
          bound: boolean
          name: string
          polcmd: string
          polpermissive: boolean
          tableoid: unknown
        }[]
      }
      checked_roles: {
        Args: Record<PropertyKey, never>
        Returns: {
          by_request: boolean
          name: string
          oid: unknown
        }[]
      }
      checked_schemas: {
        Args: Record<PropertyKey, never>
        Returns: {
          oid: unknown
          ours: boolean
        }[]
      }
      checked_tables: {
        Args: Record<PropertyKey, never>
        Returns: {
          deletes: boolean
          inserts: string[]
          name: string
          oid: unknown
          ours: boolean
          reads: boolean
          relacl: unknown[]
          relforcerowsecurity: boolean
          relname: string
          relnamespace: unknown
          relowner: unknown
          relrowsecurity: boolean
          updates: string[]
          workspace_column: number
          workspace_required: boolean
        }[]
      }
      checked_view_tables: {
        Args: Record<PropertyKey, never>
        Returns: {
          tenant: boolean
          view: unknown
        }[]
      }
      checked_views: {
        Args: Record<PropertyKey, never>
        Returns: {
          name: string
          oid: unknown
          relacl: unknown[]
        }[]
      }
      checklist_anon: { Args: Record<PropertyKey, never>; Returns: string[] }
      checklist_authenticated: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_create_in_schema: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_email_check: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_foreign_keys: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_logins: { Args: Record<PropertyKey, never>; Returns: string[] }
      checklist_owner: { Args: Record<PropertyKey, never>; Returns: string[] }
      checklist_policies: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_public: { Args: Record<PropertyKey, never>; Returns: string[] }
      checklist_rls_enabled: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_rls_forced: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_roles: { Args: Record<PropertyKey, never>; Returns: string[] }
      checklist_schema_creators: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_sealed_data: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_search_path: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_service_functions: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_settings: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_triggers: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_truncate: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_views: { Args: Record<PropertyKey, never>; Returns: string[] }
      checklist_visible_fields: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_workspace_cascade: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      checklist_workspace_index: {
        Args: Record<PropertyKey, never>
        Returns: string[]
      }
      cleanup_expired_exports: {
        Args: Record<PropertyKey, never>
        Returns: number
      }
      comment_on_table: {
        Args: { p_about: string[]; p_comment: string; p_table: unknown }
        Returns: undefined
      }
      count_people: {
        Args: { p_filters?: Json; p_workspace_id: string }
        Returns: number
      }
      create_computed_field: {
        Args: { p_column: string; p_name: string; p_table: unknown }
        Returns: undefined
      }
      create_workspace: {
        Args: {
          p_email: string
          p_full_name?: string
          p_name: string
          p_slug: string
        }
        Returns: string
      }
      default_visible_fields: {
        Args: { p_object: string }
        Returns: {
          field: string
          kind: string
        }[]
      }
      delete_workspace: { Args: { p_slug: string }; Returns: undefined }
      distribute_tables: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      drop_column_if_empty: {
        Args: { p_column: string; p_default?: string; p_table: unknown }
        Returns: undefined
      }
      drop_table_if_empty: {
        Args: { p_rows?: string; p_table: unknown }
        Returns: undefined
      }
      execute_as_owner: { Args: { p_statement: string }; Returns: number }
      export_people_to_csv: {
        Args: { p_filters?: Json; p_workspace_id: string }
        Returns: {
          company: string
          department: string
          email: string
          full_name: string
          linkedin_url: string
          location: string
          seniority_level: string
          title: string
        }[]
      }
      forbid_data_loss: {
        Args: { p_column?: string; p_rows: string; p_table: unknown }
        Returns: undefined
      }
      generate_query_name: {
        Args: { query_filters: Json; topic_name: string }
        Returns: string
      }
      get_active_queries_for_processing: {
        Args: { batch_size?: number }
        Returns: {
          filters: Json
          id: string
          topic: string
          topic_id: string
          workspace_id: string
        }[]
      }
      get_billing_summary: { Args: { p_workspace_id?: string }; Returns: Json }
      get_credit_balance: {
        Args: { p_user_id?: string }
        Returns: {
          credits_limit: number
          credits_remaining: number
          credits_used: number
          resets_at: string
        }[]
      }
      get_integration_config: {
        Args: { p_integration_id: string }
        Returns: Json
      }
      get_integration_events_pending: {
        Args: { batch_size?: number }
        Returns: {
          attempts: number
          config: Json
          event_data: Json
          id: string
          integration_id: string
          type: Database["app"]["Enums"]["integration_type"]
          workspace_id: string
        }[]
      }
      get_leads_pending_delivery: {
        Args: { batch_size?: number }
        Returns: {
          attempts: number
          company_data: Json
          contact_data: Json
          id: string
          query_id: string
          workspace_id: string
        }[]
      }
      get_leads_pending_enrichment: {
        Args: { batch_size?: number }
        Returns: {
          attempts: number
          company_data: Json
          contact_data: Json
          id: string
          query_id: string
          workspace_id: string
        }[]
      }
      get_my_workspaces: {
        Args: Record<PropertyKey, never>
        Returns: {
          is_active: boolean
          member_since: string
          name: string
          plan: string
          role: Database["app"]["Enums"]["user_role"]
          slug: string
          workspace_id: string
        }[]
      }
      get_people_search_stats: {
        Args: { p_workspace_id: string }
        Returns: Json
      }
      get_trending_gainers: {
        Args: { result_limit?: number }
        Returns: {
          category: Database["app"]["Enums"]["topic_category"]
          change_percent: number
          current_volume: number
          id: string
          topic: string
        }[]
      }
      get_trending_losers: {
        Args: { result_limit?: number }
        Returns: {
          category: Database["app"]["Enums"]["topic_category"]
          change_percent: number
          current_volume: number
          id: string
          topic: string
        }[]
      }
      get_user_id: { Args: Record<PropertyKey, never>; Returns: string }
      get_user_workspace_id: {
        Args: Record<PropertyKey, never>
        Returns: string
      }
      get_workspace_stats: { Args: { p_workspace_id?: string }; Returns: Json }
      grant_on_shards: { Args: Record<PropertyKey, never>; Returns: undefined }
      grant_statements: {
        Args: {
          p_acl: unknown[]
          p_columns: string
          p_object: string
          p_owner: unknown
        }
        Returns: string[]
      }
      has_active_subscription: {
        Args: { p_workspace_id?: string }
        Returns: boolean
      }
      increment_query_leads: {
        Args: { lead_count: number; query_id: string }
        Returns: undefined
      }
      ingest_leads: {
        Args: { p_leads: Json; p_on_conflict?: string; p_query_id: string }
        Returns: {
          inserted: number
          skipped: number
          updated: number
        }[]
      }
      invite_member: {
        Args: {
          p_email: string
          p_expires_in?: string
          p_role?: Database["app"]["Enums"]["user_role"]
          p_workspace_id?: string
        }
        Returns: {
          expires_at: string
          invitation_id: string
          token: string
        }[]
      }
      is_blank: { Args: { value: string }; Returns: boolean }
      is_distributed: { Args: Record<PropertyKey, never>; Returns: boolean }
      is_sealed: { Args: { p_data: Json; p_object: string }; Returns: boolean }
      job_status: {
        Args: Record<PropertyKey, never>
        Returns: {
          active: boolean
          duration: string
          last_message: string
          last_start: string
          last_status: string
          last_success: string
          name: string
          overdue: boolean
          schedule: string
        }[]
      }
      lead_domain:
        | {
            Args: { "": Database["app"]["Tables"]["leads"]["Row"] }
            Returns: {
              error: true
            } & "the function app.lead_domain with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
          }
        | { Args: { company_data: Json }; Returns: string }
      lead_search_keys: {
        Args: { p_company_data: Json; p_contact_data: Json; p_scope: string }
        Returns: string[]
      }
      leave_workspace: { Args: Record<PropertyKey, never>; Returns: undefined }
      lock_tables: { Args: { p_locks: string[] }; Returns: undefined }
      migration_20260101000001_init_core_tables: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      migration_20260101000002_global_topics: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      migration_20260101000003_query_system: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      migration_20260101000004_lead_system: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      migration_20260101000005_people_search: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      migration_20260101000006_integrations_billing: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      migration_20260201000001_teams: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      migration_20260301000001_scale_out: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      owner_rights: { Args: Record<PropertyKey, never>; Returns: string[] }
      partition_leads: { Args: { p_parts: number }; Returns: undefined }
      person_company:
        | {
            Args: {
              "": Database["app"]["Tables"]["people_search_results"]["Row"]
            }
            Returns: {
              error: true
            } & "the function app.person_company with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
          }
        | { Args: { person_data: Json }; Returns: string }
      person_email: { Args: { person_data: Json }; Returns: string }
      person_exists: {
        Args: { p_company: string; p_full_name: string; p_workspace_id: string }
        Returns: string
      }
      person_matches: {
        Args: { filters: Json; person_data: Json }
        Returns: boolean
      }
      person_name:
        | {
            Args: {
              "": Database["app"]["Tables"]["people_search_results"]["Row"]
            }
            Returns: {
              error: true
            } & "the function app.person_name with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
          }
        | { Args: { person_data: Json }; Returns: string }
      person_seniority:
        | {
            Args: {
              "": Database["app"]["Tables"]["people_search_results"]["Row"]
            }
            Returns: {
              error: true
            } & "the function app.person_seniority with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
          }
        | { Args: { person_data: Json }; Returns: string }
      rebuild_leads: { Args: { p_parts: number }; Returns: undefined }
      record_billing_event: {
        Args: {
          p_amount_cents?: number
          p_event_at: string
          p_event_seconds?: number
          p_event_type: Database["app"]["Enums"]["billing_event_type"]
          p_metadata?: Json
          p_stripe_event_id: string
          p_workspace_id: string
        }
        Returns: boolean
      }
      record_credit_usage: {
        Args: {
          p_action_type: Database["app"]["Enums"]["credit_action"]
          p_credits_used?: number
          p_idempotency_key?: string
          p_metadata?: Json
          p_reference_id?: string
          p_user_id: string
          p_workspace_id: string
        }
        Returns: string
      }
      record_integration_error: {
        Args: { p_error_message: string; p_integration_id: string }
        Returns: undefined
      }
      remove_member: { Args: { p_user_id: string }; Returns: undefined }
      require_cluster: { Args: Record<PropertyKey, never>; Returns: undefined }
      require_one_server: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      require_owned_tables: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      require_plain_leads: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      require_trusted_schema: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      reseal: { Args: { p_object: string }; Returns: number }
      reset_daily_credits: { Args: Record<PropertyKey, never>; Returns: number }
      reset_weekly_lead_counts: {
        Args: Record<PropertyKey, never>
        Returns: number
      }
      reveal_person_email: {
        Args: { p_result_id: string; p_user_id?: string }
        Returns: Json
      }
      revoke_invitation: {
        Args: { p_invitation_id: string }
        Returns: undefined
      }
      schedule_jobs: { Args: Record<PropertyKey, never>; Returns: string[] }
      schema_creators: {
        Args: Record<PropertyKey, never>
        Returns: {
          owns: boolean
          role: unknown
        }[]
      }
      search_leads: {
        Args: {
          p_after?: string
          p_limit?: number
          p_query: string
          p_workspace_id?: string
        }
        Returns: {
          company_data: Json
          created_at: string
          id: string
          query_id: string
          relevance: number
        }[]
      }
      search_people: {
        Args: {
          p_after?: string
          p_filters: Json
          p_limit?: number
          p_offset?: number
          p_workspace_id: string
        }
        Returns: {
          company: string
          created_at: string
          department: string
          email: string
          email_revealed: boolean
          full_name: string
          id: string
          linkedin_url: string
          location: string
          seniority_level: string
          title: string
        }[]
      }
      search_topics: {
        Args: { result_limit?: number; search_query: string }
        Returns: {
          category: Database["app"]["Enums"]["topic_category"]
          current_volume: number
          id: string
          relevance: number
          topic: string
          trend_direction: Database["app"]["Enums"]["trend_direction"]
        }[]
      }
      secure_table: { Args: { p_table: unknown }; Returns: undefined }
      security_checklist: {
        Args: Record<PropertyKey, never>
        Returns: {
          detail: string
          item: string
          ok: boolean
        }[]
      }
      send_integration_event: {
        Args: {
          p_event_data: Json
          p_integration_type: Database["app"]["Enums"]["integration_type"]
          p_workspace_id: string
        }
        Returns: boolean
      }
      set_member_role: {
        Args: {
          p_role: Database["app"]["Enums"]["user_role"]
          p_user_id: string
        }
        Returns: undefined
      }
      table_definition: { Args: { p_table: unknown }; Returns: string[] }
      table_distribution: {
        Args: Record<PropertyKey, never>
        Returns: {
          kind: string
          relname: string
        }[]
      }
      table_obstacles: {
        Args: { p_partitioned: boolean; p_table: unknown }
        Returns: string[]
      }
      table_parts: {
        Args: { p_table: unknown }
        Returns: {
          classid: unknown
          objid: unknown
        }[]
      }
      table_routines: {
        Args: { p_table: unknown }
        Returns: {
          oid: unknown
        }[]
      }
      tenant_metrics: {
        Args: Record<PropertyKey, never>
        Returns: {
          labels: Json
          name: string
          value: number
        }[]
      }
      topic_search_keys: {
        Args: { p_bucket: number; p_topic: string }
        Returns: string[]
      }
      undistribute_tables: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      unpartition_leads: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      unschedule_jobs: { Args: Record<PropertyKey, never>; Returns: string[] }
      update_integration_event: {
        Args: {
          p_error?: string
          p_event_id: string
          p_status: Database["app"]["Enums"]["delivery_status"]
        }
        Returns: undefined
      }
      update_lead_delivery: {
        Args: {
          p_error?: string
          p_lead_id: string
          p_status: Database["app"]["Enums"]["delivery_status"]
        }
        Returns: undefined
      }
      update_lead_enrichment: {
        Args: {
          p_contact_data?: Json
          p_error?: string
          p_lead_id: string
          p_status: Database["app"]["Enums"]["enrichment_status"]
        }
        Returns: undefined
      }
      update_query_run_time: { Args: { query_id: string }; Returns: undefined }
      update_saved_search_usage: {
        Args: { p_search_id: string }
        Returns: undefined
      }
      update_topic_trends: { Args: Record<PropertyKey, never>; Returns: number }
      update_workspace_plan: {
        Args: {
          p_new_plan: string
          p_stripe_subscription_id?: string
          p_workspace_id: string
        }
        Returns: undefined
      }
      user_has_role: {
        Args: { required_role: Database["app"]["Enums"]["user_role"] }
        Returns: boolean
      }
      visible_field_name: { Args: { p_field: string }; Returns: string }
    }
    Enums: {
      billing_event_type:
        | "subscription_created"
        | "subscription_updated"
        | "subscription_cancelled"
        | "payment_succeeded"
        | "payment_failed"
        | "plan_upgraded"
        | "plan_downgraded"
      credit_action:
        | "email_reveal"
        | "lead_export"
        | "people_search"
        | "contact_enrichment"
      delivery_status: "pending" | "delivered" | "failed"
      enrichment_status: "pending" | "enriching" | "enriched" | "failed"
      export_format: "csv" | "json"
      export_status: "pending" | "processing" | "completed" | "failed"
      integration_status: "active" | "inactive" | "error"
      integration_type: "slack" | "zapier" | "webhook" | "email"
      query_status: "active" | "paused" | "completed"
      topic_category:
        | "technology"
        | "marketing"
        | "sales"
        | "finance"
        | "operations"
        | "hr"
        | "legal"
        | "product"
        | "other"
      trend_direction: "up" | "down" | "stable"
      user_role: "owner" | "admin" | "member"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "app">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] &
        DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] &
        DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R
      }
      ? R
      : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I
      }
      ? I
      : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U
      }
      ? U
      : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  app: {
    Enums: {
      billing_event_type: [
        "subscription_created",
        "subscription_updated",
        "subscription_cancelled",
        "payment_succeeded",
        "payment_failed",
        "plan_upgraded",
        "plan_downgraded",
      ],
      credit_action: [
        "email_reveal",
        "lead_export",
        "people_search",
        "contact_enrichment",
      ],
      delivery_status: ["pending", "delivered", "failed"],
      enrichment_status: ["pending", "enriching", "enriched", "failed"],
      export_format: ["csv", "json"],
      export_status: ["pending", "processing", "completed", "failed"],
      integration_status: ["active", "inactive", "error"],
      integration_type: ["slack", "zapier", "webhook", "email"],
      query_status: ["active", "paused", "completed"],
      topic_category: [
        "technology",
        "marketing",
        "sales",
        "finance",
        "operations",
        "hr",
        "legal",
        "product",
        "other",
      ],
      trend_direction: ["up", "down", "stable"],
      user_role: ["owner", "admin", "member"],
    },
  },
} as const
